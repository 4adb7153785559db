package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRoutesAndMethods(t *testing.T) {
	service := &Service{sessions: NewSessions([]byte("secret"))}
	handler := service.routes().handler()
	cases := []struct {
		method, target string
		status         int
		allow          string
	}{
		{"GET", "/json", 200, ""},
		{"HEAD", "/json", 405, "GET"},
		{"OPTIONS", "/session", 405, "DELETE, POST"},
		{"POST", "/items/abc", 405, "GET"},
		{"GET", "/items/abc", 422, ""},
		{"GET", "/items/..", 422, ""},
		{"GET", "/items/a%2Fb", 404, ""},
		{"GET", "/items/", 404, ""},
		{"GET", "//json", 404, ""},
		{"GET", "/json/", 404, ""},
		{"GET", "/a/../json", 404, ""},
		{"GET", "/ws", 404, ""},
		{"GET", "/me", 401, ""},
		{"DELETE", "/session", 204, ""},
	}
	for _, each := range cases {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(each.method, each.target, nil))
		if answer.Code != each.status || answer.Header().Get("Allow") != each.allow {
			t.Errorf("%s %s: %d %q", each.method, each.target, answer.Code, answer.Header().Get("Allow"))
		}
	}
}

func TestNoRawPathBecomesALabel(t *testing.T) {
	for path, want := range map[string]string{
		"/wait": "/wait", "/items/7": itemRoute, "/items/": unmatched, "/items/1/2": unmatched, "/x": unmatched,
	} {
		if got := routeOf(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestADefectIsAnAnswerToo(t *testing.T) {
	answer := httptest.NewRecorder()
	broken := endpoint(func(http.ResponseWriter, *http.Request) error { panic("defect of a test") })
	broken.ServeHTTP(answer, httptest.NewRequest("GET", "/x", nil))
	if answer.Code != 500 || !strings.Contains(answer.Body.String(), `"code":"internal"`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestWhatIsNotHTTPIsRefusedInTheContractsShape(t *testing.T) {
	listener, err := listen("127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(http.NotFoundHandler())
	go func() { _ = server.Serve(jsonRefusals{listener}) }()
	defer func() { _ = server.Close() }()
	for _, target := range []string{"/items/%zz", "no target"} {
		connection, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target)
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil {
			t.Fatal(err)
		}
		var document struct{ Error Fault }
		if err := json.NewDecoder(response.Body).Decode(&document); err != nil || document.Error.Code != "malformed" {
			t.Errorf("%s: %v %+v", target, err, document)
		}
		_ = connection.Close()
	}
}

func TestSettingsThatCannotBeUsedAreNamed(t *testing.T) {
	good := map[string]string{"SERVICE_NAME": "x", "DATABASE_URL": "postgresql://lab@127.0.0.1/lab"}
	if settings, err := ReadSettings(func(name string) string { return good[name] }); err != nil || settings.PoolSize != 1 {
		t.Errorf("%+v %v", settings, err)
	}
	for name, value := range map[string]string{
		"SERVICE_NAME": "", "WORKERS": "0", "POOL_SIZE": "x", "PORT": "65536", "LAB_METRICS": "maybe",
		"DATABASE_PASSWORD_FILE": "/nowhere/at/all",
	} {
		_, err := ReadSettings(func(asked string) string {
			if asked == name {
				return value
			}
			return good[asked]
		})
		if err == nil || !strings.HasPrefix(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}
