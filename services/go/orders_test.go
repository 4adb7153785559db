package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// named is the status and the fields of a fault.
func named(err error) (int, []string) {
	var fault *Fault
	if !errors.As(err, &fault) {
		return http.StatusOK, nil
	}
	var fields []string
	for _, field := range fault.Fields {
		fields = append(fields, field.Field)
	}
	slices.Sort(fields)
	return fault.Status, fields
}

func TestEveryWrongMemberOfAnOrderIsNamed(t *testing.T) {
	line := `{"item_id":1,"quantity":2}`
	cases := map[string][]string{
		`[]`: {"body"},
		`{}`: {"customer_id", "lines"},
		`{"customer_id":1.0,"lines":[` + line + `]}`:                          {"customer_id"},
		`{"customer_id":true,"lines":[{"item_id":"1","quantity":1001}]}`:      {"customer_id", "lines.0.item_id", "lines.0.quantity"},
		`{"customer_id":1,"lines":[` + line + `,3,{"item_id":1}]}`:            {"lines.1", "lines.2.quantity"},
		`{"customer_id":1,"lines":[` + line + `],"Note":"","x":1,"x":2}`:      {"Note", "x"},
		`{"customer_id":1,"lines":[` + line + `],"note":null}`:                {"note"},
		`{"customer_id":1,"lines":[` + line + `],"note":"a\u0000"}`:           {"note"},
		`{"customer_id":1,"lines":[` + line + `],"note":"\ud800"}`:            {"note"},
		`{"customer_id":1,"lines":[` + line + `],"note":"\udc00\ud800"}`:      {"note"},
		`{"customer_id":1,"lines":[` + line + `],"\ud800":1}`:                 {"body"},
		`{"customer_id":1,"lines":[{"item_id":1,"quantity":1,"\udfff":1}]}`:   {"body"},
		`{"customer_id":1000000000000000000000000000000,"lines":{}}`:          {"customer_id", "lines"},
		`{"customer_id":1,"lines":[` + strings.Repeat("{},", 500) + `{}]}`:    {"lines"},
		`{"customer_id":1,"customer_id":"x","lines":[` + line + `]}`:          {"customer_id"},
		`{"customer_id":1,"lines":[{"item_id":1,"quantity":2,"quantity":0}]}`: {"lines.0.quantity"},
	}
	for body, want := range cases {
		_, err := newOrder(gjson.Parse(body))
		if status, fields := named(err); status != 422 || !slices.Equal(fields, want) {
			t.Errorf("%.80s: %d %v, want 422 %v", body, status, fields, want)
		}
	}
}

func TestAnOrderIsReadAsItWasSent(t *testing.T) {
	order, err := newOrder(gjson.Parse(
		`{"customer\u005fid":3,"customer_id":7,"lines":[{"quantity":2,"item_id":5}],"note":"\ud83d\ude00\\ud800"}`))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%d %v %v %s", order.CustomerID, order.ItemIDs, order.Quantities, order.Note)
	if want := `7 [5] [2] 😀\ud800`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTextIsCountedInCharacters(t *testing.T) {
	for length, want := range map[int]int{64: 200, 65: 422} {
		_, err := username(gjson.Parse(`{"username":"` + strings.Repeat("😀", length) + `"}`))
		if status, _ := named(err); status != want {
			t.Errorf("%d characters: %d, want %d", length, status, want)
		}
	}
}

func TestBodiesAreCheckedInTheContractsOrder(t *testing.T) {
	large := strings.Repeat(" ", bodyLimit+1)
	cases := []struct {
		mediaType, body string
		want            int
	}{
		{"text/plain", large, 415},
		{"", "{}", 415},
		{"application/json", large, 413},
		{"application/json", "", 400},
		{"application/json", "\xff", 400},
		{"application/json", "\ufeff{}", 400},
		{"application/json", strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001), 400},
		{"Application/JSON ; charset=utf-8", "{}", 200},
	}
	for _, each := range cases {
		request := httptest.NewRequest(http.MethodPost, "/orders", strings.NewReader(each.body))
		request.Header.Set("Content-Type", each.mediaType)
		_, err := readJSON(request)
		if status, _ := named(err); status != each.want {
			t.Errorf("%s %.9q: %d, want %d", each.mediaType, each.body, status, each.want)
		}
	}
}

// FuzzDecoded holds the repair of surrogates against gjson's own reading of sound text.
func FuzzDecoded(f *testing.F) {
	for _, seed := range []string{`"a"`, `"\ud800"`, `"\ud83d\ude00"`, `"\\ud800"`, `"\u00e9\udc00\\"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if !gjson.Valid(raw) || !strings.HasPrefix(raw, `"`) {
			return
		}
		text, whole := decoded(strings.TrimSpace(raw))
		if whole && text != gjson.Parse(raw).String() {
			t.Errorf("%q: %q, want %q", raw, text, gjson.Parse(raw).String())
		}
		if strings.ContainsRune(text, 0xFFFD) && !strings.Contains(strings.ToLower(raw), "fffd") &&
			!strings.ContainsRune(raw, 0xFFFD) {
			t.Errorf("%q: a surrogate was replaced in silence", raw)
		}
	})
}
