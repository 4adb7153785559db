package main

import (
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var buckets = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

// PoolMeter counts who waits for a connection, and how long.
type PoolMeter struct {
	pending prometheus.Gauge
	wait    prometheus.Histogram
}

// Metrics is what the row counts of its requests.
type Metrics struct {
	registry *prometheus.Registry
	duration *prometheus.HistogramVec
	active   prometheus.Gauge
	requests prometheus.Counter
	children sync.Map // series -> prometheus.Observer: looking labels up costs more than the rest
	Pool     *PoolMeter
}

type series struct {
	method, route string
	status        int
}

// NewMetrics registers what is counted per request.
func NewMetrics() *Metrics {
	metrics := &Metrics{
		registry: prometheus.NewRegistry(),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_server_request_duration_seconds", Help: "Time to answer a request.", Buckets: buckets,
		}, []string{"http_request_method", "http_route", "http_response_status_code"}),
		active: gauge("http_server_active_requests", "Requests in hand."),
		requests: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lab_worker_requests_total", Help: "Requests answered, by worker process.",
			ConstLabels: prometheus.Labels{"worker": strconv.Itoa(os.Getpid())},
		}),
		Pool: &PoolMeter{
			pending: gauge("db_client_connection_pending_requests", "Requests that wait for a connection."),
			wait: prometheus.NewHistogram(prometheus.HistogramOpts{
				Name: "db_client_connection_wait_time_seconds", Help: "Time to get a connection.", Buckets: buckets,
			}),
		},
	}
	metrics.registry.MustRegister(
		metrics.duration, metrics.active, metrics.requests, metrics.Pool.pending, metrics.Pool.wait)
	return metrics
}

// Describe adds what is read only when somebody asks: pool, process, what the row is.
func (m *Metrics) Describe(about About, port int, database *Database) {
	pool := database.pool
	used := func() float64 { return float64(pool.Stat().AcquiredConns()) }
	idle := func() float64 { return float64(pool.Stat().IdleConns()) }
	const connections, text = "db_client_connection_count", "Pooled connections."
	m.registry.MustRegister(
		read("lab_slots", "Requests that can wait for the database at once.", constant(about.Slots)),
		read("lab_slots_busy", "Slots that hold a request.", used),
		read(connections, text, used, "state", "used"),
		read(connections, text, idle, "state", "idle"),
		read("db_client_connection_max", "Pooled connections at most.", constant(about.PoolSize)),
		read("lab_accept_backlog", "Connections not accepted yet.", func() float64 { return backlog(port) }),
		read("lab_scheduling_lag_seconds", "Worst wake-up delay of a second.", watchScheduler(), "kind", "go_scheduler"),
		read("lab_threads", "Threads of the process.", threads),
		read("lab_processes", "Processes of the server.", constant(1)),
		read("lab_process_pss_bytes", "Proportional set size.", pssBytes),
		prometheus.NewCounterFunc(
			prometheus.CounterOpts{Name: "lab_process_cpu_seconds_total", Help: "CPU time."}, cpuSeconds),
		read("lab_build_info", "What serves.", constant(1), "framework", about.Framework, "server", about.Server,
			"model", about.Model, "language", "Go", "language_version", about.Versions["go"]),
	)
}

// Handler serves /metrics.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// Watch counts every request that next answers; a WebSocket is no request.
func (m *Metrics) Watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == webSocketPath && isUpgrade(r) {
			next.ServeHTTP(w, r)
			return
		}
		m.active.Inc()
		began := time.Now()
		recorder := statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(&recorder, r)
		m.observer(r, recorder.status).Observe(time.Since(began).Seconds())
		m.requests.Inc()
		m.active.Dec()
	})
}

func (m *Metrics) observer(r *http.Request, status int) prometheus.Observer {
	key := series{r.Method, routeOf(r.URL.Path), status}
	if known, ok := m.children.Load(key); ok {
		return known.(prometheus.Observer)
	}
	if !slices.Contains(methods, key.method) {
		key.method = "_OTHER"
	}
	child := m.duration.WithLabelValues(key.method, key.route, strconv.Itoa(status))
	m.children.Store(key, child)
	return child
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer beneath.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

// read is a gauge that value answers; labels are pairs of name and value.
func read(name, help string, value func() float64, labels ...string) prometheus.Collector {
	constant := prometheus.Labels{}
	for pair := range slices.Chunk(labels, 2) {
		constant[pair[0]] = pair[1]
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: constant}, value)
}

func constant(value int) func() float64 { return func() float64 { return float64(value) } }

func goVersion() string { return strings.TrimPrefix(runtime.Version(), "go") }
