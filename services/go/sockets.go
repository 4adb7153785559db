package main

import (
	"context"
	"net/http"
	"strings"

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
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = socket.CloseNow() }()
	socket.SetReadLimit(messageLimit)
	for {
		kind, message, err := socket.Read(s.open)
		if err != nil {
			return
		}
		if err := socket.Write(s.open, kind, message); err != nil {
			return
		}
	}
}

func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}
