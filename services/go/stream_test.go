package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestAStreamOutlastsTheLimitForReadingItsRequest(t *testing.T) {
	server := httptest.NewUnstartedServer(endpoint(stream))
	server.Config.ReadTimeout = 20 * time.Millisecond
	server.Start()
	defer server.Close()
	response, err := http.Get(server.URL + "/stream?n=3&ms=30")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	want := "data: {\"event\": 0}\n\ndata: {\"event\": 1}\n\ndata: {\"event\": 2}\n\n"
	if err != nil || string(text) != want || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%v %q", err, text)
	}
}

func TestAStreamEndsWithItsClient(t *testing.T) {
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		endpoint(stream).ServeHTTP(w, r)
		close(ended)
	}))
	defer server.Close()
	stay, leave := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(stay, "GET", server.URL+"/stream?n=1000&ms=1000", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := bufio.NewReader(response.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	leave()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the stream goes on without its client")
	}
}
