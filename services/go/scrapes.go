package main

import (
	"context"
	"net"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// scrapeConnections is how many connections to /metrics are open at once; others wait in the kernel.
const scrapeConnections = 64

// Scrapes collects for one scrape at a time. Those that come meanwhile share the next collection, and
// one that nobody waits for any more is left out: a machine too busy to answer does not fall behind.
type Scrapes struct {
	from prometheus.Gatherer
	lock sync.Mutex
	busy bool
	next *collection
}

type collection struct {
	waiting int
	done    chan struct{}
	found   []*dto.MetricFamily
	err     error
}

// Gather is what was collected after the call; an error where ctx ends before.
func (s *Scrapes) Gather(ctx context.Context) ([]*dto.MetricFamily, error) {
	mine := s.join()
	select {
	case <-mine.done:
		return mine.found, mine.err
	case <-ctx.Done():
		s.lock.Lock()
		defer s.lock.Unlock()
		mine.waiting--
		return nil, ctx.Err()
	}
}

func (s *Scrapes) join() *collection {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.next == nil {
		s.next = &collection{done: make(chan struct{})}
	}
	s.next.waiting++
	if !s.busy {
		s.busy = true
		go s.collect()
	}
	return s.next
}

func (s *Scrapes) collect() {
	for mine := s.begin(); mine != nil; mine = s.begin() {
		mine.found, mine.err = s.from.Gather()
		close(mine.done)
	}
}

// begin takes the next collection, nil where nobody waits for it.
func (s *Scrapes) begin() *collection {
	s.lock.Lock()
	defer s.lock.Unlock()
	mine := s.next
	s.next = nil
	if mine == nil || mine.waiting == 0 {
		s.busy = false
		return nil
	}
	return mine
}

// bounded accepts a connection when fewer than its capacity are open.
type bounded struct {
	net.Listener
	places chan struct{}
}

func (b bounded) Accept() (net.Conn, error) {
	b.places <- struct{}{}
	connection, err := b.Listener.Accept()
	if err != nil {
		<-b.places
		return nil, err
	}
	return &placed{Conn: connection, leave: sync.OnceFunc(func() { <-b.places })}, nil
}

type placed struct {
	net.Conn
	leave func()
}

func (p *placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}
