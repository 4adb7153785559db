"""The home dashboard: services under the same load, and why one of them waits.

Its first screen needs no scrolling and no reading: how many answers, how long each takes, how many
slots are busy, and who waits outside.
"""

from __future__ import annotations

from grafana.layout import Section
from grafana.panels import bar, tile, timeseries
from grafana.queries import Query
from grafana.variables import LOADED, Variable

UID, TITLE = "comparison", "Concurrency comparison"
VARIABLES: list[Variable] = [LOADED]

_S = '{service=~"$service"}'


def _counted(label: str, figure: str) -> str:
    """A factor of 1 that carries `figure`, a whole number by service, as a label."""
    return (
        f"* on (service) group_left ({label}) "
        f'count_values by (service) ("{label}", round({figure}))'
    )


# Figures become labels, so that the bar's name can be a sentence made of them.
_SENTENCE = " ".join(
    [
        f"service:slots_utilisation:ratio{_S}",
        _counted("busy", f"sum by (service) (lab_slots_busy{_S})"),
        _counted("slots", f"sum by (service) (lab_slots{_S})"),
        _counted("more", f"service:beyond_slots:count{_S}"),
        _counted("outside", f"service:waiting_outside:count{_S}"),
    ]
)

_SAID = (
    "${__field.labels.busy} of ${__field.labels.slots} slots busy, "
    "${__field.labels.more} more in hand, ${__field.labels.outside} wait outside"
)

SECTIONS = [
    Section(
        "",
        [
            tile(
                "$service",
                "Right answers a second now, how long half and 99 % of them took at most as the "
                "client saw it, both over 10 s, and requests that the service has not taken up.",
                Query(f"service:load_goodput:rate10s{_S}", now=True, label="goodput", unit="reqps"),
                Query(
                    f"service:load_response_seconds:p50_10s{_S}", now=True, label="p50", unit="s"
                ),
                Query(
                    f"service:load_response_seconds:p99_10s{_S}", now=True, label="p99", unit="s"
                ),
                Query(f"service:waiting_outside:count{_S}", now=True, label="wait outside"),
            )
        ],
        height=4,
    ),
    Section(
        "",
        [
            bar(
                "$service: slots busy",
                "How many of the service's slots hold a request. At the end of the bar it is full: "
                "further requests wait in hand, for a connection, or outside, for a worker.",
                Query(_SENTENCE, now=True, label=_SAID),
            )
        ],
        height=3,
    ),
    Section(
        "",
        [
            timeseries(
                "Goodput against slots ÷ wait",
                "Right answers a second over 10 s, and what the slots allow (dashed): slots ÷ the "
                "time that a request of this scenario waits. A service at its dashes is full; "
                "below them it waits for users. A scenario without a wait has no dashes.",
                "reqps",
                Query(f"service:load_goodput:rate10s{_S}"),
                Query(f"service:goodput_bound:rate{_S}", "{{service}} slots ÷ wait"),
            ),
            timeseries(
                "Client latency",
                "Half of the requests (p50), and 99 % (p99, thin), were answered within this time, "
                "from the client's send to the last byte, over 10 s. Requests that still wait are "
                "not in it: at the start of a load on a full service it is too low.",
                "s",
                Query(f"service:load_response_seconds:p50_10s{_S}", "{{service}} p50"),
                Query(f"service:load_response_seconds:p99_10s{_S}", "{{service}} p99"),
            ),
        ],
        height=12,
    ),
    Section(
        "Why: slots and queues",
        [
            timeseries(
                "In flight against slots",
                "Requests that the service has in hand, and its slots (dashed): as many as can "
                "wait for the database at once. At its dashes or above, a service is full.",
                "short",
                Query(f"sum by (service) (http_server_active_requests{_S})"),
                Query(f"sum by (service) (lab_slots{_S})", "{{service}} slots"),
            ),
            timeseries(
                "Accept backlog",
                "Connections that the kernel holds because no worker has accepted them yet. The "
                "service does not know of them.",
                "short",
                Query(f"sum by (service) (lab_accept_backlog{_S})"),
            ),
            timeseries(
                "Client − server, p95",
                "Client p95 less the service's own p95: about the time before a worker picked the "
                "request up. The service's own metrics can't show it.",
                "s",
                Query(f"service:client_minus_server_seconds:p95_10s{_S}"),
            ),
        ],
    ),
    Section(
        "What holds it up inside",
        [
            timeseries(
                "Slots busy",
                "Share of the slots in use. At 100 % every further request waits in a queue, and "
                "latency grows with the number of users.",
                "percentunit",
                Query(f"service:slots_utilisation:ratio{_S}"),
            ),
            timeseries(
                "Wait for a database connection, p95",
                "Time that 95 % of requests waited at most for a connection of the service's pool. "
                "Microseconds: nobody waits. Milliseconds: they queue.",
                "s",
                Query(f"service:db_client_connection_wait_time_seconds:p95_10s{_S}"),
            ),
            timeseries(
                "Scheduling lag",
                "How late a task runs that was due: on the event loop, a thread, a greenlet or "
                "Go's scheduler. High where one request keeps the rest from running.",
                "s",
                Query(
                    f"max by (service, kind) (lab_scheduling_lag_seconds{_S})",
                    "{{service}} {{kind}}",
                ),
            ),
        ],
    ),
    Section(
        "What is asked, and what it costs",
        [
            timeseries(
                "Users",
                "Simulated users that Locust keeps busy on each service, one upon the other. In "
                "closed load each has one request in hand at any time.",
                "short",
                Query(f"sum by (service) (lab_load_users{_S})"),
                stacked=True,
            ),
            timeseries(
                "Errors",
                "Share of requests that failed or were answered wrongly, by the client's count "
                "over 10 s. Above 0, compare goodput and never requests.",
                "percentunit",
                Query(f"service:load_error:ratio_rate10s{_S}"),
                soft_max=0.01,
            ),
        ],
    ),
    Section(
        "",
        [
            timeseries(
                "CPU",
                "CPU seconds a second of the service's process tree; 1 is one core in full, which "
                "is all that a service is given.",
                "short",
                Query(f"service:process_cpu:rate10s{_S}"),
            ),
            timeseries(
                "Memory",
                "Proportional set size of the service's process tree: shared pages count once, so "
                "that forked and spawned workers compare fairly.",
                "bytes",
                Query(f"sum by (service) (lab_process_pss_bytes{_S})"),
            ),
            timeseries(
                "Threads",
                "Operating system threads of the service's process tree. Does it grow with the "
                "requests in flight?",
                "short",
                Query(f"sum by (service) (lab_threads{_S})"),
            ),
        ],
    ),
]
