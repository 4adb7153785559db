package main

import (
	"math"
	"slices"
	"time"
)

const (
	recentWindow = 10 * time.Second
	looksApart   = time.Second // between two looks that are kept, however often somebody asks
)

var quantiles = []float64{0.5, 0.95, 0.99}

// fineBounds are the upper ends of buckets that are 2 % wide, from 10 µs to 100 s; one more takes what
// is beyond. The standard buckets are too wide for a percentile: these stay in the service, and a
// scrape shows quantiles.
var (
	fineBounds = makeFineBounds()
	fineWords  = len(fineBounds) + 1
)

func makeFineBounds() (found []time.Duration) {
	parts := []struct {
		low, high float64
		steps     int
	}{{1, 2.5, 46}, {2.5, 5, 35}, {5, 10, 35}}
	for decade := 10 * time.Microsecond; decade < 100*time.Second; decade *= 10 {
		for _, part := range parts {
			for step := range part.steps {
				bound := part.low * math.Pow(part.high/part.low, float64(step)/float64(part.steps))
				found = append(found, time.Duration(math.Round(bound*float64(decade))))
			}
		}
	}
	return append(found, 100*time.Second)
}

// observeFine counts a duration into the fine buckets at place.
func (s *Store) observeFine(place int, duration time.Duration) {
	bucket, _ := slices.BinarySearch(fineBounds, duration)
	s.add(place+bucket, 1)
}

func (s *Store) fine(place int) []uint64 {
	counts := make([]uint64, fineWords)
	for index := range counts {
		counts[index] = s.get(place + index)
	}
	return counts
}

type look struct {
	at     time.Time
	counts []uint64
}

// Recent tells the quantiles of what was counted in the last ten seconds. Its window begins with the
// youngest look that is as old, or else the oldest; after two windows without a look it is silent once.
type Recent struct{ looks []look }

func newRecent(now time.Time) *Recent {
	return &Recent{[]look{{now, make([]uint64, fineWords)}}}
}

// Quantiles are seconds in the order of quantiles; counts are each bucket's since the beginning.
// Nothing was counted: none.
func (r *Recent) Quantiles(now time.Time, counts []uint64) (seconds []float64) {
	oldest := now.Add(-2 * recentWindow)
	for len(r.looks) > 1 && (now.Sub(r.looks[1].at) >= recentWindow || r.looks[0].at.Before(oldest)) {
		r.looks = r.looks[1:]
	}
	before := r.looks[0]
	if now.Sub(r.looks[len(r.looks)-1].at) >= looksApart {
		r.looks = append(r.looks, look{now, counts})
	}
	running, total := make([]float64, len(counts)), 0.0
	for index, count := range counts {
		total += float64(count - before.counts[index])
		running[index] = total
	}
	if total == 0 || before.at.Before(oldest) {
		return nil
	}
	for _, share := range quantiles {
		seconds = append(seconds, quantile(share, running))
	}
	return seconds
}

// quantile is linear within a bucket; running has the counts of each bucket and all below.
func quantile(share float64, running []float64) float64 {
	wanted := share * running[len(running)-1]
	index, _ := slices.BinarySearch(running, wanted)
	if index >= len(fineBounds) {
		return fineBounds[len(fineBounds)-1].Seconds()
	}
	var below, low float64
	if index > 0 {
		below, low = running[index-1], fineBounds[index-1].Seconds()
	}
	return low + (fineBounds[index].Seconds()-low)*(wanted-below)/(running[index]-below)
}
