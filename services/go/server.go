package main

import (
	"bytes"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	keepAlive      = 75 * time.Second
	requestTimeout = 10 * time.Second
)

func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		IdleTimeout:       keepAlive,
		ReadHeaderTimeout: requestTimeout,
		ReadTimeout:       requestTimeout,
	}
}

func listen(host string, port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

// jsonRefusals gives net/http's own refusals (a target that does not decode, headers that are too
// long) the contract's shape; they are written before any handler is asked.
type jsonRefusals struct{ net.Listener }

func (l jsonRefusals) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if tcp, ok := connection.(*net.TCPConn); ok {
		return refusingConn{tcp}, err
	}
	return connection, err
}

type refusingConn struct{ *net.TCPConn }

var (
	refusalStart  = []byte("HTTP/1.1 4")
	refusalHeader = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n4")
)

func (c refusingConn) Write(data []byte) (int, error) {
	if !bytes.HasPrefix(data, refusalStart) || !bytes.Contains(data, refusalHeader) {
		return c.TCPConn.Write(data)
	}
	document := malformed("not a request that HTTP/1.1 allows").document()
	answer := "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n" +
		"Content-Length: " + strconv.Itoa(len(document)) + "\r\n\r\n" + string(document)
	if _, err := c.TCPConn.Write([]byte(answer)); err != nil {
		return 0, err
	}
	return len(data), nil
}
