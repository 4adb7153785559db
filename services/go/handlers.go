package main

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Service answers the contract's requests.
type Service struct {
	about    About
	database *Database
	sessions *Sessions
	sockets  *Sockets
}

type message struct {
	Message string `json:"message"`
}

func (service *Service) routes() routes {
	return routes{
		"/plaintext": {"GET": plaintext},
		"/json":      {"GET": greet},
		"/items":     {"GET": service.listItems},
		itemRoute:    {"GET": service.getItem},
		"/orders":    {"POST": service.createOrder},
		"/wait":      {"GET": service.wait},
		"/fanout":    {"GET": service.fanout},
		"/stream":    {"GET": stream},
		"/cpu":       {"GET": cpu},
		"/session":   {"POST": service.logIn, "DELETE": service.logOut},
		"/me":        {"GET": service.me},
		"/about":     {"GET": service.describe},
		"/healthz":   {"GET": healthz},
		"/readyz":    {"GET": service.readyz},
	}
}

func answer(w http.ResponseWriter, status int, value any) error {
	document, err := json.Marshal(value)
	if err != nil {
		return err
	}
	writeJSON(w, status, document)
	return nil
}

func plaintext(w http.ResponseWriter, _ *http.Request) error {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Content-Length", "13")
	_, err := w.Write([]byte("Hello, World!"))
	return err
}

func greet(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, http.StatusOK, message{"Hello, World!"})
}

func (service *Service) listItems(w http.ResponseWriter, r *http.Request) error {
	page, err := numbers(r.URL.RawQuery, limit, offset)
	if err != nil {
		return err
	}
	items, err := service.database.Items(r.Context(), page[0], page[1])
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, struct {
		Items  []Item `json:"items"`
		Limit  int    `json:"limit"`
		Offset int    `json:"offset"`
	}{items, page[0], page[1]})
}

func (service *Service) getItem(w http.ResponseWriter, r *http.Request) error {
	text := r.PathValue("id")
	if strings.Contains(text, "/") {
		return notFound("no such route")
	}
	id, ok := itemID.read(text)
	if !ok {
		return invalid([]FieldError{itemID.problem()})
	}
	item, err := service.database.Item(r.Context(), id)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, item)
}

func (service *Service) createOrder(w http.ResponseWriter, r *http.Request) error {
	document, err := readJSON(r)
	if err != nil {
		return err
	}
	order, err := newOrder(document)
	if err != nil {
		return err
	}
	id, total, err := service.database.PlaceOrder(r.Context(), order)
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, struct {
		ID         int64 `json:"id"`
		TotalCents int64 `json:"total_cents"`
	}{id, total})
}

func (service *Service) wait(w http.ResponseWriter, r *http.Request) error {
	given, err := numbers(r.URL.RawQuery, waitMS)
	if err != nil {
		return err
	}
	if err := service.database.Wait(r.Context(), given[0]); err != nil {
		return err
	}
	return answer(w, http.StatusOK, struct {
		MS int `json:"ms"`
	}{given[0]})
}

func (service *Service) fanout(w http.ResponseWriter, r *http.Request) error {
	given, err := numbers(r.URL.RawQuery, fanoutN, fanoutMS)
	if err != nil {
		return err
	}
	if err := service.database.Fanout(r.Context(), given[0], given[1]); err != nil {
		return err
	}
	return answer(w, http.StatusOK, struct {
		N  int `json:"n"`
		MS int `json:"ms"`
	}{given[0], given[1]})
}

func cpu(w http.ResponseWriter, r *http.Request) error {
	given, err := numbers(r.URL.RawQuery, cpuN)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, struct {
		N      int `json:"n"`
		Result int `json:"result"`
	}{given[0], compute(given[0])})
}

func (service *Service) describe(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, http.StatusOK, service.about)
}

type status struct {
	Status string `json:"status"`
}

func healthz(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, http.StatusOK, status{"ok"})
}

func (service *Service) readyz(w http.ResponseWriter, r *http.Request) error {
	if err := service.database.Ready(r.Context()); err != nil {
		return err
	}
	return answer(w, http.StatusOK, status{"ready"})
}
