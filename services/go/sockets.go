package main

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/coder/websocket"
)

const messageLimit = 16 << 20 // bytes, as uvicorn has it

// Sockets echoes WebSocket messages until it is closed.
type Sockets struct {
	open  context.Context
	Close context.CancelFunc
}

// NewSockets makes a Sockets that is open.
func NewSockets() *Sockets {
	open, closeAll := context.WithCancel(context.Background())
	return &Sockets{open, closeAll}
}

// Beside answers WebSocket handshakes on /ws and leaves every other request to next.
func (s *Sockets) Beside(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == webSocketPath && isUpgrade(r) {
			s.echo(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Sockets) echo(w http.ResponseWriter, r *http.Request) {
	// Any page may connect: the echo knows no user and tells nothing.
	socket, err := websocket.Accept(&unanswered{w}, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		w.Header().Set("Sec-WebSocket-Version", "13")
		malformed(err.Error()).write(w)
		return
	}
	defer func() { _ = socket.CloseNow() }()
	socket.SetReadLimit(messageLimit)
	for {
		kind, message, err := socket.Read(s.open)
		if err != nil {
			return
		}
		if kind == websocket.MessageText && !utf8.Valid(message) {
			_ = socket.Close(websocket.StatusInvalidFramePayloadData, "text that is not UTF-8")
			return
		}
		if err := socket.Write(s.open, kind, message); err != nil {
			return
		}
	}
}

// unanswered swallows what Accept says to a handshake that it refuses: it has no form of the contract's.
type unanswered struct{ http.ResponseWriter }

func (u *unanswered) WriteHeader(status int) {
	if status == http.StatusSwitchingProtocols {
		u.ResponseWriter.WriteHeader(status)
	}
}

func (u *unanswered) Write(data []byte) (int, error) { return len(data), nil }

// Unwrap lets Accept reach the writer beneath, to take its connection over.
func (u *unanswered) Unwrap() http.ResponseWriter { return u.ResponseWriter }

func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}
