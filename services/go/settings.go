package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Settings is what the service is told at start.
type Settings struct {
	Service, DatabaseURL, DatabasePassword string
	Host                                   string
	Port, MetricsPort                      int
	// Workers is the number of threads that run Go code; PoolSize the connections for each.
	Workers, PoolSize int
	Metrics           bool
	SessionSecret     []byte
}

// ReadSettings takes the settings from the environment; its errors are one line and name the variable.
func ReadSettings(get func(string) string) (Settings, error) {
	reader := settingsReader{get: get}
	settings := Settings{
		Service:          reader.required("SERVICE_NAME"),
		DatabaseURL:      reader.required("DATABASE_URL"),
		DatabasePassword: reader.secret("DATABASE_PASSWORD_FILE"),
		Host:             reader.text("HOST", "127.0.0.1"),
		Port:             reader.number("PORT", 8000, 65535),
		MetricsPort:      reader.number("METRICS_PORT", 9000, 65535),
		Workers:          reader.number("WORKERS", 1, 256),
		PoolSize:         reader.number("POOL_SIZE", 1, 10_000),
		Metrics:          reader.flag("LAB_METRICS"),
		SessionSecret:    []byte(get("LAB_SESSION_SECRET")),
	}
	if len(settings.SessionSecret) == 0 {
		settings.SessionSecret = []byte(rand.Text())
	}
	return settings, reader.err
}

// settingsReader keeps the first error, so that the reading stays a list.
type settingsReader struct {
	get func(string) string
	err error
}

func (r *settingsReader) fail(format string, arguments ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, arguments...)
	}
}

func (r *settingsReader) text(name, fallback string) string {
	if text := r.get(name); text != "" {
		return text
	}
	return fallback
}

func (r *settingsReader) required(name string) string {
	text := r.get(name)
	if text == "" {
		r.fail("%s is not set; docker-compose.yml shows what a service needs", name)
	}
	return text
}

func (r *settingsReader) number(name string, fallback, maximum int) int {
	text := r.text(name, strconv.Itoa(fallback))
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 || number > maximum {
		r.fail("%s is %q; set it to a whole number from 1 to %d", name, text, maximum)
	}
	return number
}

func (r *settingsReader) flag(name string) bool {
	text := r.text(name, "on")
	if text != "on" && text != "off" {
		r.fail("%s is %q; set it to on or off", name, text)
	}
	return text == "on"
}

func (r *settingsReader) secret(name string) string {
	path := r.get(name)
	if path == "" {
		return ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		r.fail("%s: %v", name, err)
	}
	return strings.TrimSpace(string(text))
}
