package main

import (
	"math"
	"net/http/httptest"
	"testing"
	"time"
)

func TestAKnownTimeShowsWithinThreePercent(t *testing.T) {
	for _, known := range []time.Duration{20e3, 100e3, 1e6, 25e5, 101e6, 1050e6, 40e9} {
		store, begin := newStore(t), time.Now()
		recent := newRecent(begin)
		for range 100 {
			store.observeFine(placeFine, known)
		}
		found := recent.Quantiles(begin.Add(2*time.Second), store.fine(placeFine))
		for index, seconds := range found {
			if off := math.Abs(seconds/known.Seconds() - 1); off > 0.03 {
				t.Errorf("%v: quantile %v shows %v s", known, quantiles[index], seconds)
			}
		}
		if len(found) != len(quantiles) {
			t.Errorf("%v: %v", known, found)
		}
	}
}

func TestTenSecondsLaterNothingIsLeft(t *testing.T) {
	store, begin := newStore(t), time.Now()
	recent := newRecent(begin)
	store.observeFine(placeFine, 100*time.Millisecond)
	for second := range 30 {
		found := recent.Quantiles(begin.Add(time.Duration(second+1)*time.Second), store.fine(placeFine))
		if shown := len(found) > 0; shown != (second < 10) {
			t.Errorf("second %d: %v", second+1, found)
		}
	}
	if len(recent.looks) > 12 {
		t.Errorf("%d looks are kept", len(recent.looks))
	}
}

func TestAfterALongSilenceItHasNothingToSayOnce(t *testing.T) {
	store, begin := newStore(t), time.Now()
	recent := newRecent(begin)
	store.observeFine(placeFine, 100*time.Millisecond)
	if found := recent.Quantiles(begin.Add(time.Minute), store.fine(placeFine)); found != nil {
		t.Errorf("a minute passes for ten seconds: %v", found)
	}
	store.observeFine(placeFine, 100*time.Millisecond)
	if found := recent.Quantiles(begin.Add(62*time.Second), store.fine(placeFine)); found == nil {
		t.Error("silent after the next look")
	}
}

func TestProbesAreInNoPercentile(t *testing.T) {
	store := newStore(t)
	handler := store.Watch((&Service{}).routes().handler())
	for _, path := range []string{"/healthz", "/healthz", "/json"} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	var counted uint64
	for _, count := range store.fine(placeFine) {
		counted += count
	}
	if counted != 1 {
		t.Errorf("%d requests in the percentiles", counted)
	}
}
