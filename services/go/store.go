package main

import (
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// bounds are the upper ends of the buckets; one more bucket takes what is beyond.
var bounds = []time.Duration{
	1e6, 25e5, 5e6, 10e6, 25e6, 50e6, 100e6, 250e6, 500e6, 1e9, 25e8, 5e9, 10e9,
}

var (
	routeLabels  = append(slices.Clone(paths), itemRoute, unmatched)
	methodLabels = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "_OTHER"}
	statuses     = []int{200, 201, 204, 400, 401, 404, 405, 413, 415, 422, 503, 500}
)

// Places of values in the store, in words of 64 bits. A histogram is a count for each bucket, then
// the sum in nanoseconds.
const (
	placeActive = iota
	placeLag    // nanoseconds
	placeBeat   // nanoseconds since 1970
	placeUsed
	placeOpen
	placePending
	placeWait
)

// Two sets of fine buckets lie between the wait and the series: all requests, all waits.

var (
	histogramWords = len(bounds) + 2
	placeFine      = placeWait + histogramWords
	placeFineWait  = placeFine + fineWords
	firstSeries    = placeFineWait + fineWords
	storeWords     = firstSeries + histogramWords*len(routeLabels)*len(methodLabels)*len(statuses)
)

// Store holds the server's counts in memory that it shares with the process that publishes them: a
// server too busy to answer is read all the same.
type Store struct{ words []uint64 }

// NewStoreFile makes the file behind a store: without a name, in memory where there is such a place.
func NewStoreFile() (*os.File, error) {
	folder := "/dev/shm"
	if _, err := os.Stat(folder); err != nil {
		folder = ""
	}
	file, err := os.CreateTemp(folder, "lab-")
	if err != nil {
		if file, err = os.CreateTemp("", "lab-"); err != nil {
			return nil, err
		}
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, err
	}
	return file, file.Truncate(int64(8 * storeWords))
}

// OpenStore maps a file that NewStoreFile has made.
func OpenStore(file *os.File) (*Store, error) {
	data, err := syscall.Mmap(int(file.Fd()), 0, 8*storeWords, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("cannot share memory: %w", err)
	}
	return &Store{unsafe.Slice((*uint64)(unsafe.Pointer(&data[0])), storeWords)}, nil
}

func (s *Store) add(place int, delta int64) { atomic.AddUint64(&s.words[place], uint64(delta)) }
func (s *Store) set(place int, value int64) { atomic.StoreUint64(&s.words[place], uint64(value)) }
func (s *Store) get(place int) uint64       { return atomic.LoadUint64(&s.words[place]) }
func (s *Store) value(place int) float64    { return float64(int64(s.get(place))) }

// observe counts a duration into the histogram at place.
func (s *Store) observe(place int, duration time.Duration) {
	bucket := 0
	for bucket < len(bounds) && duration > bounds[bucket] {
		bucket++
	}
	s.add(place+bucket, 1)
	s.add(place+histogramWords-1, int64(duration))
}

// histogram reads what observe has counted, as Prometheus wants it: each bucket from zero.
func (s *Store) histogram(place int) (count uint64, seconds float64, buckets map[float64]uint64) {
	buckets = make(map[float64]uint64, len(bounds))
	for index, bound := range bounds {
		count += s.get(place + index)
		buckets[bound.Seconds()] = count
	}
	count += s.get(place + len(bounds))
	return count, time.Duration(s.get(place + histogramWords - 1)).Seconds(), buckets
}

// seriesPlace is where the requests of one route, method and status are counted.
func seriesPlace(route, method string, status int) int {
	last := len(methodLabels) - 1
	return firstSeries + histogramWords*seriesIndex(
		indexOf(routeLabels, route, len(routeLabels)-1),
		indexOf(methodLabels, method, last),
		indexOf(statuses, status, len(statuses)-1),
	)
}

func seriesIndex(route, method, status int) int {
	return (route*len(methodLabels)+method)*len(statuses) + status
}

func indexOf[T comparable](all []T, one T, otherwise int) int {
	if index := slices.Index(all, one); index >= 0 {
		return index
	}
	return otherwise
}
