// The go service: net/http, pgx and client_golang behind the lab's contract. One process serves, its parent
// publishes the metrics.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
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
	if os.Getenv(serverVariable) != "" {
		runtime.GOMAXPROCS(settings.Workers)
		exit(1, serve(settings))
	}
	var ended *exec.ExitError
	err = supervise(settings)
	if errors.As(err, &ended) { // the server has said why
		os.Exit(max(1, ended.ExitCode()))
	}
	exit(1, err)
}

func exit(code int, err error) {
	if err == nil {
		os.Exit(0)
	}
	fmt.Fprintf(os.Stderr, "go: %v\n", err)
	os.Exit(code)
}

// serve answers requests until SIGTERM, then finishes what is in hand. A terminal sends Ctrl-C to both
// processes; only the supervisor decides.
func serve(settings Settings) error {
	signal.Ignore(os.Interrupt)
	go dieWithSupervisor()
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	store, err := OpenStore(os.NewFile(storeDescriptor, "store"))
	if err != nil {
		return err
	}
	if !settings.Metrics {
		store = nil
	}
	database, err := OpenDatabase(settings, store)
	if err != nil {
		return err
	}
	service := &Service{Describe(settings), database, NewSessions(settings.SessionSecret), NewSockets()}
	handler := service.sockets.Beside(service.routes().handler())
	if store != nil {
		go store.WatchScheduler(database.pool)
		handler = store.Watch(handler)
	}
	failed := make(chan error, 1)
	listener, err := listen(settings.Host, settings.Port)
	if err != nil {
		return err
	}
	server := start(jsonRefusals{listener}, handler, failed)
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
		service.sockets.Close()
		return finish(server, database)
	}
}

func start(listener net.Listener, handler http.Handler, failed chan<- error) *http.Server {
	server := newServer(handler)
	go func() { failed <- server.Serve(listener) }()
	return server
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

// healthcheck asks /readyz of the service on this machine.
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
