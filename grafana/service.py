"""Everything about one service."""

from __future__ import annotations

from grafana.layout import Section
from grafana.panels import heatmap, stat, timeseries, words
from grafana.queries import Query
from grafana.variables import BUSIEST, Variable

UID, TITLE = "service", "One service"
VARIABLES: list[Variable] = [BUSIEST]

SERVICE = '{service="$service"}'


def _latency(side: str, metric: str) -> list[Query]:
    return [
        Query(f"service:{metric}:{p}_10s{SERVICE}", f"{side} {p}") for p in ("p50", "p95", "p99")
    ]


SECTIONS = [
    Section(
        "",
        [
            words(
                "Build",
                "What the service says it is: framework, server, model and language.",
                Query(
                    f"lab_build_info{SERVICE}",
                    "{{framework}} · {{server}} · {{model}} · {{language}} {{language_version}}",
                    now=True,
                ),
            )
        ],
        height=3,
    ),
    Section(
        "",
        [
            stat(
                "Goodput",
                "Right answers a second, as the client counts them over 10 s.",
                "reqps",
                Query(f"service:load_goodput:rate10s{SERVICE}", "goodput", now=True),
            ),
            stat(
                "Slots busy",
                "Share of the slots in use; red when the service is full.",
                "percentunit",
                Query(f"service:slots_utilisation:ratio{SERVICE}", "busy", now=True),
                limit=1,
            ),
            stat(
                "Slots",
                "Requests that can wait for the database at once, over all workers.",
                "short",
                Query(f"sum(lab_slots{SERVICE})", "slots", now=True),
            ),
            stat(
                "Processes",
                "Processes of the service's server, master included.",
                "short",
                Query(f"sum(lab_processes{SERVICE})", "processes", now=True),
            ),
        ],
        height=3,
    ),
    Section(
        "Requests",
        [
            timeseries(
                "Requests by route and status",
                "Requests a second that the service has finished, by route of the contract.",
                "reqps",
                Query(
                    "sum by (http_request_method, http_route, http_response_status_code) "
                    f"(rate(http_server_request_duration_seconds_count{SERVICE}[$__rate_interval]))",
                    "{{http_request_method}} {{http_route}} {{http_response_status_code}}",
                ),
            ),
            timeseries(
                "Latency, client and server",
                "The same percentiles as the client and as the service sees them, over 10 s. The "
                "gap between them is the queue before the service.",
                "s",
                *_latency("client", "load_response_seconds"),
                *_latency("server", "http_server_request_duration_seconds"),
            ),
            heatmap(
                "Client latency, all of it",
                "How many requests a second fell into each bucket of client latency. Two bands are "
                "two kinds of requests, which a percentile would hide.",
                "s",
                Query(
                    "sum by (le) "
                    f"(rate(lab_load_response_seconds_bucket{SERVICE}[$__rate_interval]))",
                    "{{le}}",
                    heatmap=True,
                ),
            ),
        ],
    ),
    Section(
        "Slots and queues",
        [
            timeseries(
                "In flight, busy, slots",
                "Requests in hand, slots in use, and slots there are (dashed).",
                "short",
                Query(f"sum(http_server_active_requests{SERVICE})", "in flight"),
                Query(f"sum(lab_slots_busy{SERVICE})", "busy"),
                Query(f"sum(lab_slots{SERVICE})", "slots"),
            ),
            timeseries(
                "Accept backlog",
                "Connections that wait in the kernel for a worker to accept them.",
                "short",
                Query(f"sum(lab_accept_backlog{SERVICE})", "backlog"),
            ),
            timeseries(
                "Scheduling lag",
                "How late a task runs that was due, by what schedules it.",
                "s",
                Query(f"max by (kind) (lab_scheduling_lag_seconds{SERVICE})", "{{kind}}"),
            ),
        ],
    ),
    Section(
        "Workers",
        [
            timeseries(
                "Requests by worker",
                "Requests a second of each worker process. Keep-alive connections stay with the "
                "worker that accepted them, so that the shares can be uneven.",
                "reqps",
                Query(
                    f"sum by (worker) (rate(lab_worker_requests_total{SERVICE}[$__rate_interval]))",
                    "{{worker}}",
                ),
            ),
            timeseries(
                "Threads and processes",
                "Operating system threads and processes of the service's server.",
                "short",
                Query(f"sum(lab_threads{SERVICE})", "threads"),
                Query(f"sum(lab_processes{SERVICE})", "processes"),
            ),
        ],
    ),
    Section(
        "What it costs",
        [
            timeseries(
                "CPU",
                "CPU seconds a second of the whole process tree; 1 is one core in full.",
                "short",
                Query(f"service:process_cpu:rate10s{SERVICE}", "cpu"),
            ),
            timeseries(
                "Memory",
                "Proportional set size of the whole process tree.",
                "bytes",
                Query(f"sum(lab_process_pss_bytes{SERVICE})", "memory"),
            ),
        ],
    ),
    Section(
        "Database pool",
        [
            timeseries(
                "Connections",
                "Connections of the service's pools over all workers, by state, and how many there "
                "may be (dashed).",
                "short",
                Query(f"sum by (state) (db_client_connection_count{SERVICE})", "{{state}}"),
                Query(f"sum(db_client_connection_max{SERVICE})", "max"),
            ),
            timeseries(
                "Requests that wait for a connection",
                "Requests in hand that have no connection yet.",
                "short",
                Query(f"sum(db_client_connection_pending_requests{SERVICE})", "pending"),
            ),
            timeseries(
                "Wait for a connection, p95",
                "Time that 95 % of requests waited at most for a connection, over 10 s. "
                "Microseconds: nobody waits.",
                "s",
                Query(f"service:db_client_connection_wait_time_seconds:p95_10s{SERVICE}", "p95"),
            ),
        ],
    ),
]
