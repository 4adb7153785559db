package main

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// Exporter publishes what the server counts, from outside its process.
type Exporter struct {
	store *Store
	about About
	port  int
	pid   int

	durations, waits *Recent
}

// NewExporter is for a store into which nothing has been counted yet.
func NewExporter(store *Store, about About, port, pid int) *Exporter {
	now := time.Now()
	return &Exporter{store, about, port, pid, newRecent(now), newRecent(now)}
}

// Handler serves /metrics.
func (e *Exporter) Handler() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(e)
	scrapes := &Scrapes{from: registry}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		gather := func() ([]*dto.MetricFamily, error) { return scrapes.Gather(r.Context()) }
		promhttp.HandlerFor(prometheus.GathererFunc(gather), promhttp.HandlerOpts{}).ServeHTTP(w, r)
	})
	return mux
}

// Describe says nothing in advance: the series are what has been counted.
func (e *Exporter) Describe(chan<- *prometheus.Desc) {}

// Collect reads everything anew.
func (e *Exporter) Collect(found chan<- prometheus.Metric) {
	e.requests(found)
	e.pool(found)
	recent(found, "lab_recent_request_duration_seconds", "pick-up to answer", e.durations, e.store.fine(placeFine))
	recent(found, "lab_recent_connection_wait_seconds", "asking to a connection", e.waits, e.store.fine(placeFineWait))
	used := process(e.pid)
	gauge := func(name, help string, value float64, labels ...string) {
		found <- constant(prometheus.GaugeValue, name, help, value, labels...)
	}
	gauge("http_server_active_requests", "Requests in hand.", e.store.value(placeActive))
	gauge("lab_slots", "Requests that can wait for the database at once.", float64(e.about.Slots))
	gauge("lab_slots_busy", "Slots that hold a request.", e.store.value(placeUsed))
	gauge("lab_scheduling_lag_seconds", "Worst wake-up delay of a second.", e.lag(), "kind", "go_scheduler")
	gauge("lab_accept_backlog", "Connections not accepted yet.", backlog(e.port))
	gauge("lab_threads", "Threads of the server.", used.threads)
	gauge("lab_processes", "Processes of the server.", 1)
	gauge("lab_process_pss_bytes", "Proportional set size of the server.", used.pssBytes)
	found <- constant(prometheus.CounterValue, "lab_process_cpu_seconds_total", "CPU time.", used.cpuSeconds)
	gauge("lab_build_info", "What serves.", 1, "framework", e.about.Framework, "server", e.about.Server,
		"model", e.about.Model, "language", "Go", "language_version", e.about.Versions["go"])
}

// lag is what the server has measured, or how long it has been too busy to measure.
func (e *Exporter) lag() float64 {
	silent := time.Since(time.Unix(0, int64(e.store.get(placeBeat)))) - lagPeriod
	return max(time.Duration(e.store.get(placeLag)), silent).Seconds()
}

func (e *Exporter) requests(found chan<- prometheus.Metric) {
	description := prometheus.NewDesc("http_server_request_duration_seconds", "Time to answer a request.",
		[]string{"http_request_method", "http_route", "http_response_status_code"}, nil)
	var total uint64
	for _, route := range routeLabels {
		for _, method := range methodLabels {
			for _, status := range statuses {
				count, sum, buckets := e.store.histogram(seriesPlace(route, method, status))
				if count == 0 {
					continue
				}
				total += count
				found <- prometheus.MustNewConstHistogram(
					description, count, sum, buckets, method, route, strconv.Itoa(status))
			}
		}
	}
	found <- constant(prometheus.CounterValue, "lab_worker_requests_total", "Requests answered, by process.",
		float64(total), "worker", strconv.Itoa(e.pid))
	// The server is its only worker, and the service ends with it.
	found <- constant(prometheus.CounterValue, "lab_workers_ended_total", "Workers that have ended.", 0)
}

func (e *Exporter) pool(found chan<- prometheus.Metric) {
	used, open := e.store.value(placeUsed), e.store.value(placeOpen)
	gauge := func(name, help string, value float64, labels ...string) {
		found <- constant(prometheus.GaugeValue, "db_client_connection_"+name, help, value, labels...)
	}
	gauge("count", "Pooled connections.", used, "state", "used")
	gauge("count", "Pooled connections.", max(0, open-used), "state", "idle")
	gauge("max", "Pooled connections at most.", float64(e.about.PoolSize))
	gauge("pending_requests", "Requests that wait for a connection.", e.store.value(placePending))
	count, sum, buckets := e.store.histogram(placeWait)
	found <- prometheus.MustNewConstHistogram(
		prometheus.NewDesc("db_client_connection_wait_time_seconds", "Time to get a connection.", nil, nil),
		count, sum, buckets)
}

// recent publishes the quantiles of the last ten seconds.
func recent(found chan<- prometheus.Metric, name, span string, recent *Recent, counts []uint64) {
	help := fmt.Sprintf("Time from %s, quantiles of the last 10 s.", span)
	for index, seconds := range recent.Quantiles(time.Now(), counts) {
		found <- constant(prometheus.GaugeValue, name, help, seconds,
			"quantile", strconv.FormatFloat(quantiles[index], 'g', -1, 64))
	}
}

// constant is one value; labels are pairs of name and value.
func constant(kind prometheus.ValueType, name, help string, value float64, labels ...string) prometheus.Metric {
	fixed := prometheus.Labels{}
	for index := 0; index < len(labels); index += 2 {
		fixed[labels[index]] = labels[index+1]
	}
	return prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, nil, fixed), kind, value)
}
