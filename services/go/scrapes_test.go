package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// held is a collection that lasts until it is let go.
type held struct {
	begun, letGo chan struct{}
	collections  atomic.Int32
}

func newHeld() *held { return &held{begun: make(chan struct{}, 1000), letGo: make(chan struct{})} }

func (h *held) Gather() ([]*dto.MetricFamily, error) {
	h.collections.Add(1)
	h.begun <- struct{}{}
	<-h.letGo
	return nil, nil
}

func (s *Scrapes) waiting() int {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.next == nil {
		return 0
	}
	return s.next.waiting
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func TestScrapesThatWaitShareTheNextCollection(t *testing.T) {
	from := newHeld()
	scrapes := &Scrapes{from: from}
	var answered sync.WaitGroup
	ask := func() {
		if _, err := scrapes.Gather(t.Context()); err != nil {
			t.Error(err)
		}
	}
	answered.Go(ask)
	<-from.begun
	for range 500 {
		answered.Go(ask)
	}
	eventually(t, "all wait", func() bool { return scrapes.waiting() == 500 })
	close(from.letGo)
	answered.Wait()
	if collections := from.collections.Load(); collections != 2 {
		t.Errorf("%d collections for one scrape and 500 that came meanwhile, want 2", collections)
	}
}

func TestAScrapeThatNobodyWaitsForIsDropped(t *testing.T) {
	from := newHeld()
	scrapes := &Scrapes{from: from}
	var ended sync.WaitGroup
	ended.Go(func() { _, _ = scrapes.Gather(t.Context()) })
	<-from.begun
	impatient, giveUp := context.WithCancel(t.Context())
	for range 50 {
		ended.Go(func() {
			if _, err := scrapes.Gather(impatient); err == nil {
				t.Error("an answer for a scrape that was given up")
			}
		})
	}
	eventually(t, "all wait", func() bool { return scrapes.waiting() == 50 })
	giveUp()
	eventually(t, "all are gone", func() bool { return scrapes.waiting() == 0 })
	close(from.letGo)
	ended.Wait()
	eventually(t, "it rests", func() bool { scrapes.lock.Lock(); defer scrapes.lock.Unlock(); return !scrapes.busy })
	if collections := from.collections.Load(); collections != 1 {
		t.Errorf("%d collections, want 1", collections)
	}
	if _, err := scrapes.Gather(t.Context()); err != nil || from.collections.Load() != 2 {
		t.Error("no collection for the scrape that came after")
	}
}

func TestConnectionsBeyondTheBoundWaitAndAreServedThen(t *testing.T) {
	listener, err := listen("127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	var open, most atomic.Int32
	server := newServer(http.NotFoundHandler())
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			most.Store(max(most.Load(), open.Add(1)))
		case http.StateClosed:
			open.Add(-1)
		}
	}
	go func() { _ = server.Serve(bounded{listener, make(chan struct{}, 3)}) }()
	defer func() { _ = server.Close() }()
	var clients [20]net.Conn
	for index := range clients {
		if clients[index], err = net.Dial("tcp", listener.Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	for _, client := range clients {
		_, _ = fmt.Fprint(client, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if count, err := client.Read(make([]byte, 12)); err != nil || count < 12 {
			t.Fatal(count, err)
		}
		_ = client.Close()
	}
	if most.Load() > 4 { // a place is free a moment before its connection is reported closed
		t.Errorf("%d connections at once", most.Load())
	}
}

var _ prometheus.Gatherer = (*held)(nil)
