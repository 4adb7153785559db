package main

import (
	"fmt"
	"net/http"
	"time"
)

// stream sends n Server-Sent Events, ms milliseconds apart, the first at once. It ends early where its
// client leaves.
func stream(w http.ResponseWriter, r *http.Request) error {
	given, err := numbers(r.URL.RawQuery, streamN, streamMS)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	controller := http.NewResponseController(w)
	for number := range given[0] {
		if number > 0 && !pause(r, time.Duration(given[1])*time.Millisecond) {
			return nil
		}
		_, _ = fmt.Fprintf(w, "data: {\"event\": %d}\n\n", number)
		if controller.Flush() != nil {
			return nil
		}
	}
	return nil
}

// pause waits; false says that the client has left meanwhile.
func pause(r *http.Request, duration time.Duration) bool {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
