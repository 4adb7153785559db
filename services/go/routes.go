package main

import (
	"log"
	"net/http"
	"path"
	"slices"
	"strings"
)

const (
	unmatched     = "unmatched"
	itemRoute     = "/items/{id}"
	webSocketPath = "/ws"
)

// endpoint answers a request or says what is wrong with it.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// routes holds the contract's paths and the endpoint of each method.
type routes map[string]map[string]endpoint

var paths = []string{
	"/plaintext", "/json", "/items", "/orders", "/wait", "/fanout", "/stream", "/cpu", "/session", "/me",
	"/about", "/healthz", "/readyz",
}

// routeOf is the contract's route of a path, for metrics.
func routeOf(path string) string {
	switch {
	case slices.Contains(paths, path):
		return path
	case strings.HasPrefix(path, "/items/") && strings.LastIndexByte(path, '/') == 6 && len(path) > 7:
		return itemRoute
	default:
		return unmatched
	}
}

// handler serves the routes: 405 with Allow for other methods, 404 for other paths.
func (r routes) handler() http.Handler {
	mux := http.NewServeMux()
	for route, endpoints := range r {
		allowed := make([]string, 0, len(endpoints))
		for method, endpoint := range endpoints {
			allowed = append(allowed, method)
			mux.Handle(method+" "+route, endpoint)
		}
		slices.Sort(allowed)
		refuse := endpoint(func(http.ResponseWriter, *http.Request) error { return methodNotAllowed(allowed) })
		mux.Handle(route, refuse)
		if slices.Contains(allowed, http.MethodGet) {
			mux.Handle("HEAD "+route, refuse) // else the mux takes GET for it
		}
	}
	unknown := endpoint(func(http.ResponseWriter, *http.Request) error { return notFound("no such route") })
	mux.Handle("/", unknown)
	return withoutRedirects(mux, unknown)
}

// withoutRedirects keeps the mux from sending clients to the tidy form of a path: the contract knows
// no redirect.
func withoutRedirects(mux *http.ServeMux, unknown http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean := path.Clean(r.URL.Path)
		switch {
		case clean == r.URL.Path || clean+"/" == r.URL.Path:
			mux.ServeHTTP(w, r)
		case routeOf(r.URL.Path) == itemRoute: // "/items/.."
			invalid([]FieldError{itemID.problem()}).write(w)
		default:
			unknown.ServeHTTP(w, r)
		}
	})
}

// ServeHTTP turns an endpoint's error into the contract's answer.
func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if defect := recover(); defect != nil {
			log.Printf("%s %s: %v", r.Method, r.URL.Path, defect)
			internal().write(w)
		}
	}()
	err := e(w, r)
	if err == nil {
		return
	}
	fault, known := err.(*Fault)
	if !known {
		log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
		fault = internal()
	}
	fault.write(w)
}
