"""Whether what the other pages show can be believed."""

from __future__ import annotations

from grafana.panels import Query, Section, table, text, timeseries
from loadtest.run.gates import CEILING_SHARE, GENERATOR_CPU

UID, TITLE = "validity", "Is the measurement valid?"

_READ_ME = """
A figure counts only while **all** of these hold. Generator CPU below 90 % and its throughput well
below what it can do: otherwise you measure Locust. Errors at 0: otherwise compare goodput.
Workers' shares even: otherwise you measure one worker. Every target up, no scrape lost. Client and
server count the same requests. For figures to quote, use `make compare`: it repeats, shuffles and
checks these by itself.
"""

SECTIONS = [
    Section(
        "How to read this page",
        [text("All of these must hold", "When a figure counts.", _READ_ME)],
        height=4,
    ),
    Section(
        "The load generator",
        [
            timeseries(
                "Generator CPU",
                "Share of one core that the busiest Locust process uses. Above 90 % (red) its own "
                "delays are part of the latency.",
                "percentunit",
                Query("max(lab_load_generator_cpu_ratio)", "busiest process"),
                limit=GENERATOR_CPU,
            ),
            timeseries(
                "Share of the generator's ceiling",
                "Throughput as a share of what this generator makes against a trivial server "
                "(`python -m loadtest calibrate` measures it, LAB_CEILING_RPS passes it on; else "
                f"empty). Above {CEILING_SHARE * 100:.0f} % (red) it is the limit.",
                "percentunit",
                Query("max(lab_load_ceiling_ratio)", "share"),
                limit=CEILING_SHARE,
            ),
            table(
                "Phases",
                "What runs now: the run, its service and scenario, and whether it warms up.",
                Query("lab_phase_info", "", table=True),
                hidden=("Time", "Value", "__name__", "instance", "job"),
            ),
        ],
    ),
    Section(
        "The answers",
        [
            timeseries(
                "Outcomes",
                "Requests a second by outcome: `ok`, or the name of what went wrong.",
                "reqps",
                Query(
                    "sum by (service, outcome) (rate(lab_load_requests_total[$__rate_interval]))",
                    "{{service}} {{outcome}}",
                ),
            ),
            timeseries(
                "Server errors",
                "Answers a second with a status of 500 and above, by the service's own count.",
                "reqps",
                Query("service:http_server_errors:rate10s"),
            ),
            timeseries(
                "Requests that only one side counts",
                "Requests of the last 5 min that only the client, or only the service, has "
                "counted. 0 when nothing is lost and nobody else asks. Under load a few seconds' "
                "worth may hide; 20 s after it, each lost request shows.",
                "short",
                Query("service:requests_of_client_only:count5m", "{{service}} client only"),
                Query("service:requests_of_service_only:count5m", "{{service}} service only"),
            ),
            timeseries(
                "Busiest worker against the average",
                "1 where all workers of a service do the same number of requests; as high as the "
                "number of workers where one does them all.",
                "none",
                Query("service:worker_requests:skew"),
            ),
        ],
    ),
    Section(
        "The metrics themselves",
        [
            timeseries(
                "What happened to services",
                "`away`: stopped, killed, paused or hanging, so that its metrics don't answer. "
                "`started again`, and `lost a worker`: in the last 10 s, and how many. Empty while "
                "nothing happens.",
                "short",
                Query("service:incidents:count", "{{service}} {{what}}"),
            ),
            timeseries(
                "Targets up",
                "1 while Prometheus reaches the target, 0 when it was there in the last hour and "
                "is gone. Services that were never started are not shown.",
                "none",
                Query("target:up:seen", "{{job}} {{service}} {{instance}}"),
            ),
            timeseries(
                "Scrapes that came through",
                "Share of the last minute's scrapes that were answered. A saturated service must "
                "stay at 100 %.",
                "percentunit",
                Query('avg by (service) (avg_over_time(target:up:seen{job="services"}[1m]))'),
            ),
            timeseries(
                "Scrape duration",
                "How long a target takes to answer Prometheus. At 1.9 s (red) a scrape is lost.",
                "s",
                Query("scrape_duration_seconds", "{{job}} {{service}}"),
                limit=1.9,
            ),
        ],
    ),
]
