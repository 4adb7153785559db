package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	file, err := NewStoreFile()
	if err != nil {
		t.Fatal(err)
	}
	store, err := OpenStore(file)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func scrape(t *testing.T, exporter *Exporter) string {
	t.Helper()
	server := httptest.NewServer(exporter.Handler())
	defer server.Close()
	response, err := http.Get(server.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.Status, err)
	}
	return string(text)
}

func TestEverySeriesHasAPlaceOfItsOwnWithinTheStore(t *testing.T) {
	taken := map[int]bool{}
	for _, route := range routeLabels {
		for _, method := range methodLabels {
			for _, status := range statuses {
				place := seriesPlace(route, method, status)
				if taken[place] || place < firstSeries || place+histogramWords > storeWords {
					t.Fatalf("%s %s %d: place %d", method, route, status, place)
				}
				taken[place] = true
			}
		}
	}
}

func TestWhatIsCountedIsPublished(t *testing.T) {
	store := newStore(t)
	handler := store.Watch((&Service{}).routes().handler())
	for _, request := range []string{"GET /json", "GET /json", "BREW /json", "GET /nothing/of/ours"} {
		method, target, _ := strings.Cut(request, " ")
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, target, nil))
	}
	store.observe(placeWait, 2500*time.Microsecond)
	store.observeFine(placeFineWait, 2500*time.Microsecond)
	text := scrape(t, NewExporter(store, About{}, 0, 7))
	for _, line := range []string{
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/json"} 2`,
		`http_server_request_duration_seconds_count{http_request_method="_OTHER",http_response_status_code="405",http_route="/json"} 1`,
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404",http_route="unmatched"} 1`,
		`http_server_active_requests 0`,
		`lab_worker_requests_total{worker="7"} 4`,
		`lab_workers_ended_total 0`,
		`db_client_connection_wait_time_seconds_bucket{le="0.001"} 0`,
		`db_client_connection_wait_time_seconds_bucket{le="0.0025"} 1`,
		`db_client_connection_wait_time_seconds_bucket{le="+Inf"} 1`,
		`db_client_connection_wait_time_seconds_sum 0.0025`,
		`# TYPE lab_recent_connection_wait_seconds gauge`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
}

func TestAServerThatIsStuckIsSeenToBeStuck(t *testing.T) {
	store := newStore(t)
	store.set(placeBeat, time.Now().Add(-5*time.Second).UnixNano())
	if lag := (&Exporter{store: store}).lag(); lag < 4 || lag > 6 {
		t.Errorf("lag %f s after 5 s of silence", lag)
	}
}
