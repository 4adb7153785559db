package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

const (
	bodyLimit = 262_144
	// drainLimit is how much of a body that is too large is still read, so that the client, busy
	// sending, gets to read the answer.
	drainLimit = 8 << 20
)

// readJSON reads the body of a request; faults are 415, 413 and 400, in that order.
func readJSON(r *http.Request) (gjson.Result, error) {
	mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(mediaType), "application/json") {
		return gjson.Result{}, unsupportedMediaType()
	}
	raw, err := readLimited(r)
	if err != nil {
		return gjson.Result{}, err
	}
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return gjson.Result{}, malformed("the body is not JSON")
	}
	return gjson.ParseBytes(raw), nil
}

func readLimited(r *http.Request) ([]byte, error) {
	if r.ContentLength > drainLimit {
		return nil, tooLarge()
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit+1))
	if err != nil {
		return nil, malformed("the body was cut short")
	}
	if len(raw) > bodyLimit {
		_, _ = io.CopyN(io.Discard, r.Body, drainLimit)
		return nil, tooLarge()
	}
	return raw, nil
}
