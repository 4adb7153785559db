"""The home dashboard: two services under the same load, and why one of them waits."""

from __future__ import annotations

from grafana.panels import Query, Section, text, timeseries

UID, TITLE = "comparison", "Concurrency comparison"

_READ_ME = """
**Start some load:** open [Locust](http://127.0.0.1:8089), pick two services (say `fastapi-async`
and `flask-sync`), scenario *wait* with 100 ms, 60 users, and press Start. Then read downwards:

1. **Load and goodput.** Both services get as many users. Which one answers more requests?
2. **Client latency.** Flat, or rising with every user that comes?
3. **In flight against slots.** A service can have only *slots* (dashed) requests in hand. Where the
   line touches the dashes the service is full, and throughput stays at *slots ÷ wait*: three slots
   and 100 ms make 30 requests a second, however many users ask.
4. **Client − server.** The full service itself still reports 100 ms. The rest is the queue before
it,
   which its own metrics can't see.
5. **Cost.** What the slots take in memory, CPU and threads.

Next: [One service](/d/service) · [Postgres and pools](/d/postgres) ·
[Is the measurement valid?](/d/validity)
"""

SECTIONS = [
    Section(
        "What to look at",
        [text("Two services, one load", "The story of this page in reading order.", _READ_ME)],
        height=9,
    ),
    Section(
        "1 · Load, and what comes of it",
        [
            timeseries(
                "Users",
                "Simulated users that Locust keeps busy on each service. In closed load each has "
                "one request in hand at any time: this is the concurrency that is asked for.",
                "short",
                Query("sum by (service) (lab_load_users)"),
            ),
            timeseries(
                "Goodput",
                "Requests a second whose answer was checked and found right, counted by the client "
                "over 10 s. Failures don't count, however fast they are.",
                "reqps",
                Query("service:load_goodput:rate10s"),
            ),
            timeseries(
                "Errors",
                "Share of requests that failed or were answered wrongly, by the client's count "
                "over 10 s. Above 0, compare goodput and never requests.",
                "percentunit",
                Query("service:load_error:ratio_rate10s"),
            ),
        ],
    ),
    Section(
        "2 · What clients wait",
        [
            timeseries(
                f"Client latency, {name}",
                f"{share} of requests were answered within this time, from the client's send to "
                "the last byte, over 10 s. Requests that still wait are not in it: at the start of "
                "a load on a full service it is too low.",
                "s",
                Query(f"service:load_response_seconds:{name}_10s"),
            )
            for name, share in (("p50", "Half"), ("p95", "95 %"), ("p99", "99 %"))
        ],
    ),
    Section(
        "3 · Why: slots and queues",
        [
            timeseries(
                "In flight against slots",
                "Requests that the service has in hand, and its slots (dashed): as many as can "
                "wait for the database at once. At its dashes or above, a service is full.",
                "short",
                Query("sum by (service) (http_server_active_requests)"),
                Query("sum by (service) (lab_slots)", "{{service}} slots"),
            ),
            timeseries(
                "Slots busy",
                "Share of the slots in use. At 100 % every further request waits in a queue, and "
                "latency grows with the number of users.",
                "percentunit",
                Query("service:slots_utilisation:ratio"),
                limit=1,
            ),
            timeseries(
                "Accept backlog",
                "Connections that the kernel holds because no worker has accepted them yet. The "
                "service does not know of them.",
                "short",
                Query("sum by (service) (lab_accept_backlog)"),
            ),
        ],
    ),
    Section(
        "4 · Where the time goes",
        [
            timeseries(
                "Client − server, p95",
                "Client p95 less the service's own p95: about the time before a worker picked the "
                "request up. The service's own metrics can't show it.",
                "s",
                Query("service:client_minus_server_seconds:p95_10s"),
            ),
            timeseries(
                "Scheduling lag",
                "How late a task runs that was due: on the event loop, a thread, a greenlet or "
                "Go's scheduler. High where one request keeps the rest from running.",
                "s",
                Query(
                    "max by (service, kind) (lab_scheduling_lag_seconds)", "{{service}} {{kind}}"
                ),
            ),
            timeseries(
                "Wait for a database connection, p95",
                "Time that 95 % of requests waited at most for a connection of the service's pool. "
                "Microseconds: nobody waits. Milliseconds: they queue.",
                "s",
                Query("service:db_client_connection_wait_time_seconds:p95_10s"),
            ),
        ],
    ),
    Section(
        "5 · What it costs",
        [
            timeseries(
                "Memory",
                "Proportional set size of the service's process tree: shared pages count once, so "
                "that forked and spawned workers compare fairly.",
                "bytes",
                Query("sum by (service) (lab_process_pss_bytes)"),
            ),
            timeseries(
                "CPU",
                "CPU seconds a second of the service's process tree; 1 is one core in full, which "
                "is all that a service is given.",
                "short",
                Query("service:process_cpu:rate10s"),
            ),
            timeseries(
                "Threads",
                "Operating system threads of the service's process tree. Does it grow with the "
                "requests in flight?",
                "short",
                Query("sum by (service) (lab_threads)"),
            ),
        ],
    ),
]
