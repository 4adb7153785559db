package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// FieldError says what is wrong with one parameter or one member of a body.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Fault is a request that ends in an error response, in the contract's shape.
type Fault struct {
	Status  int          `json:"-"`
	Allow   string       `json:"-"`
	Code    string       `json:"code"`
	Message string       `json:"message"`
	Fields  []FieldError `json:"fields"`
}

func (f *Fault) Error() string { return f.Message }

func malformed(reason string) *Fault {
	return body(http.StatusBadRequest, "malformed", reason)
}

func tooLarge() *Fault {
	message := fmt.Sprintf("the body is over %d bytes", bodyLimit)
	return body(http.StatusRequestEntityTooLarge, "too_large", message)
}

func unsupportedMediaType() *Fault {
	message := "send the body as application/json"
	return body(http.StatusUnsupportedMediaType, "unsupported_media_type", message)
}

func body(status int, code, message string) *Fault {
	return &Fault{Status: status, Code: code, Message: message, Fields: []FieldError{{"body", message}}}
}

func unauthorized() *Fault {
	return &Fault{Status: http.StatusUnauthorized, Code: "unauthorized", Message: "log in first: POST /session"}
}

func notFound(what string) *Fault {
	return &Fault{Status: http.StatusNotFound, Code: "not_found", Message: what}
}

func methodNotAllowed(methods []string) *Fault {
	allow := strings.Join(methods, ", ")
	return &Fault{
		Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: "use " + allow, Allow: allow,
	}
}

// mostFields is how many wrong things an answer names at most.
const mostFields = 100

func invalid(fields []FieldError) *Fault {
	fields = fields[:min(len(fields), mostFields)]
	return &Fault{
		Status:  http.StatusUnprocessableEntity,
		Code:    "invalid",
		Message: "the request does not fit the contract",
		Fields:  fields,
	}
}

func unavailable(reason string) *Fault {
	return &Fault{Status: http.StatusServiceUnavailable, Code: "unavailable", Message: reason}
}

func internal() *Fault {
	message := "the service failed; its log says why"
	return &Fault{Status: http.StatusInternalServerError, Code: "internal", Message: message}
}

func (f *Fault) document() []byte {
	if f.Fields == nil {
		f.Fields = []FieldError{}
	}
	document, _ := json.Marshal(map[string]*Fault{"error": f})
	return document
}

func (f *Fault) write(w http.ResponseWriter) {
	if f.Allow != "" {
		w.Header().Set("Allow", f.Allow)
	}
	writeJSON(w, f.Status, f.document())
}

func writeJSON(w http.ResponseWriter, status int, document []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(document)))
	w.WriteHeader(status)
	_, _ = w.Write(document) // a client that has hung up needs no answer
}
