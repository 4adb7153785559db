package main

import (
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	lagPeriod = 100 * time.Millisecond
	lagWindow = 10 // the worst of the last second, so that a scrape a second misses nothing
)

// untimed are paths that percentiles leave out: no load asks the probes, which would flatter a service under
// load, and a stream lasts as long as its client wants.
var untimed = []string{"/about", "/healthz", "/readyz", "/stream"}

// Watch counts every request that next answers; a WebSocket is no request.
func (s *Store) Watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == webSocketPath && isUpgrade(r) {
			next.ServeHTTP(w, r)
			return
		}
		s.add(placeActive, 1)
		began := time.Now()
		recorder := statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(&recorder, r)
		route, took := routeOf(r.URL.Path), time.Since(began)
		s.observe(seriesPlace(route, r.Method, recorder.status), took)
		if !slices.Contains(untimed, route) {
			s.observeFine(placeFine, took)
		}
		s.add(placeActive, -1)
	})
}

// WatchScheduler measures from now on how late a sleeping goroutine wakes, and how many connections
// the pool has open.
func (s *Store) WatchScheduler(pool *pgxpool.Pool) {
	var recent [lagWindow]time.Duration
	for index := 0; ; index = (index + 1) % lagWindow {
		s.set(placeBeat, time.Now().UnixNano())
		s.set(placeOpen, int64(pool.Stat().TotalConns()))
		due := time.Now().Add(lagPeriod)
		time.Sleep(lagPeriod)
		recent[index] = max(0, time.Since(due))
		s.set(placeLag, int64(longest(recent[:])))
	}
}

func longest(durations []time.Duration) (longest time.Duration) {
	for _, duration := range durations {
		longest = max(longest, duration)
	}
	return longest
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer beneath.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
