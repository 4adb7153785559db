// The go row: net/http, pgx and client_golang behind the lab's contract.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// grace is how long requests in hand may take to end after SIGTERM.
const grace = 25 * time.Second

func main() {
	if len(os.Args) > 1 && os.Args[1] == "healthcheck" {
		exit(1, healthcheck(os.Getenv("PORT")))
	}
	settings, err := ReadSettings(os.Getenv)
	if err != nil {
		exit(2, err)
	}
	runtime.GOMAXPROCS(settings.Workers)
	exit(1, serve(settings))
}

func exit(code int, err error) {
	if err == nil {
		os.Exit(0)
	}
	fmt.Fprintf(os.Stderr, "go: %v\n", err)
	os.Exit(code)
}

// serve answers requests until SIGTERM or SIGINT, then finishes what is in hand.
func serve(settings Settings) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	metrics := NewMetrics()
	meter := metrics.Pool
	if !settings.Metrics {
		meter = nil
	}
	database, err := OpenDatabase(settings, meter)
	if err != nil {
		return err
	}
	row := &Row{Describe(settings), database, NewSessions(settings.SessionSecret), NewSockets()}
	metrics.Describe(row.about, settings.Port, database)

	handler := row.sockets.Beside(row.routes().handler())
	if settings.Metrics {
		handler = metrics.Watch(handler)
	}
	failed := make(chan error, 2)
	server, err := start(settings.Host, settings.Port, handler, failed)
	if err != nil {
		return err
	}
	if _, err = start(settings.Host, settings.MetricsPort, metrics.Handler(), failed); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
		row.sockets.Close()
		return finish(server, database)
	}
}

func start(host string, port int, handler http.Handler, failed chan<- error) (*http.Server, error) {
	listener, err := listen(host, port)
	if err != nil {
		return nil, err
	}
	server := newServer(handler)
	go func() { failed <- server.Serve(jsonRefusals{listener}) }()
	return server, nil
}

func finish(server *http.Server, database *Database) error {
	limit, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := server.Shutdown(limit); errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("requests were still in hand after %s", grace)
	}
	database.Close()
	return nil
}

// healthcheck asks /readyz of the row on this machine.
func healthcheck(port string) error {
	if port == "" {
		port = "8000"
	}
	client := http.Client{Timeout: 2500 * time.Millisecond}
	response, err := client.Get("http://127.0.0.1:" + port + "/readyz")
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz says %s", response.Status)
	}
	return nil
}
