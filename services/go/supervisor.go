package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// A server process inherits these, behind standard input, output and error.
const (
	serverVariable     = "LAB_SERVER_PROCESS"
	storeDescriptor    = 3
	lifelineDescriptor = 4
)

// supervise runs the server as a process of its own and publishes its metrics from this one: in a
// process whose threads all compute, a scrape would wait its turn among the requests. An
// *exec.ExitError carries the server's exit code.
func supervise(settings Settings) error {
	file, err := NewStoreFile()
	if err != nil {
		return err
	}
	store, err := OpenStore(file)
	if err != nil {
		return err
	}
	lifeline, held, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = held.Close() }()
	server, err := startServer(settings, file, lifeline)
	if err != nil {
		return err
	}
	listener, err := listen(settings.Host, settings.MetricsPort)
	if err != nil {
		_ = server.Process.Kill()
		_ = server.Wait()
		return fmt.Errorf("METRICS_PORT: %w", err)
	}
	exporter := NewExporter(store, Describe(settings), settings.Port, server.Process.Pid)
	start(bounded{listener, make(chan struct{}, scrapeConnections)}, exporter.Handler(), make(chan error, 1))
	return server.Wait()
}

func startServer(settings Settings, store, lifeline *os.File) (*exec.Cmd, error) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	server := exec.Command(program)
	server.Env = append(os.Environ(), serverVariable+"=1", "LAB_SESSION_SECRET="+string(settings.SessionSecret))
	server.Stdout, server.Stderr = os.Stdout, os.Stderr
	server.ExtraFiles = []*os.File{store, lifeline}
	if err := server.Start(); err != nil {
		return nil, err
	}
	go func() {
		for range stop {
			_ = server.Process.Signal(syscall.SIGTERM)
		}
	}()
	return server, nil
}

// dieWithSupervisor ends the server when the other end of the lifeline is closed, however that came.
func dieWithSupervisor() {
	lifeline := os.NewFile(lifelineDescriptor, "lifeline")
	_, _ = lifeline.Read(make([]byte, 1))
	os.Exit(1)
}
