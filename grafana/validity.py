"""Whether what the other pages show can be believed: a verdict a line, and why."""

from __future__ import annotations

from grafana.layout import Section
from grafana.panels import table, timeseries, verdicts
from grafana.queries import Query
from grafana.variables import LOADED, Variable
from loadtest.run.gates import CEILING_SHARE, GENERATOR_CPU

UID, TITLE = "validity", "Is the measurement valid?"
VARIABLES: list[Variable] = [LOADED]

_S = '{service=~"$service"}'
_ABOVE_NOTHING = 1e-9
_UNEVEN = 1.5
_CALIBRATE = "not calibrated: python -m loadtest calibrate"
_NOTHING_HAPPENED = "Nothing happened"


def _verdict(label: str, expr: str, unit: str, limit: float, empty: str) -> Query:
    return Query(
        f"{expr} or vector(NaN)", "", now=True, label=label, unit=unit, limit=limit, empty=empty
    )


_VERDICTS = [
    _verdict(
        f"Generator's busiest process, share of a core: below {GENERATOR_CPU:.0%}",
        "max(lab_load_generator_cpu_ratio)",
        "percentunit",
        GENERATOR_CPU,
        "Locust isn't there",
    ),
    _verdict(
        f"Throughput, share of the generator's ceiling: below {CEILING_SHARE:.0%}",
        "max(lab_load_ceiling_ratio)",
        "percentunit",
        CEILING_SHARE,
        _CALIBRATE,
    ),
    _verdict(
        "Requests that failed or were answered wrongly: none",
        f"max(service:load_error:ratio_rate10s{_S})",
        "percentunit",
        _ABOVE_NOTHING,
        "no requests now",
    ),
    _verdict(
        f"Busiest worker against the average: below {_UNEVEN}",
        f"max(service:worker_requests:skew{_S})",
        "none",
        _UNEVEN,
        "no requests now",
    ),
    _verdict(
        "Requests that only client or only service counts, last 5 min: none",
        f"max(service:requests_of_client_only:count5m{_S} "
        f"+ service:requests_of_service_only:count5m{_S})",
        "none",
        1,
        "not known yet",
    ),
    _verdict(
        "Targets that were there and are gone: none",
        "(count(target:up:seen == 0) or count(target:up:seen) * 0)",
        "none",
        1,
        "not known yet",
    ),
]

SECTIONS = [
    Section(
        "",
        [
            verdicts(
                "All of these must be green",
                "A figure counts only while all of these hold. For figures to quote, use "
                "`make compare`: it repeats, shuffles and checks these by itself.",
                *_VERDICTS,
            )
        ],
        height=9,
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
                soft_max=1,
            ),
            timeseries(
                "Share of the generator's ceiling",
                "Throughput as a share of what this generator makes against a trivial server "
                "(`python -m loadtest calibrate` measures it, LAB_CEILING_RPS passes it on). "
                f"Above {CEILING_SHARE:.0%} (red) it is the limit.",
                "percentunit",
                Query("max(lab_load_ceiling_ratio)", "share"),
                limit=CEILING_SHARE,
                soft_max=1,
                empty=_CALIBRATE,
            ),
            table(
                "Phases",
                "What runs now: the service and its scenario, whether it warms up, and the run.",
                Query("lab_phase_info", "", table=True),
                {"service": "Service", "scenario": "Scenario", "phase": "Phase", "run_id": "Run"},
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
                    "sum by (service, outcome) "
                    f"(rate(lab_load_requests_total{_S}[$__rate_interval]))",
                    "{{service}} {{outcome}}",
                ),
            ),
            timeseries(
                "Server errors",
                "Answers a second with a status of 500 and above, by the service's own count.",
                "reqps",
                Query(f"service:http_server_errors:rate10s{_S}"),
            ),
        ],
    ),
    Section(
        "",
        [
            timeseries(
                "Requests that only one side counts",
                "Requests of the last 5 min that only the client, or only the service, has "
                "counted. 0 when nothing is lost and nobody else asks. Under load a few seconds' "
                "worth may hide; 20 s after it, each lost request shows.",
                "short",
                Query(f"service:requests_of_client_only:count5m{_S}", "{{service}} client only"),
                Query(f"service:requests_of_service_only:count5m{_S}", "{{service}} service only"),
                empty="Not known for 5 min after a restart",
            ),
            timeseries(
                "Busiest worker against the average",
                "1 where all workers of a service do the same number of requests; as high as the "
                "number of workers where one does them all.",
                "none",
                Query(f"service:worker_requests:skew{_S}"),
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
                empty=_NOTHING_HAPPENED,
            ),
            timeseries(
                "Targets that are gone",
                "1 for a target that was there in the last hour and that Prometheus does not reach "
                "now. Services that were never started are not shown.",
                "none",
                Query("(1 - target:up:seen) > 0", "{{job}} {{service}} {{instance}}"),
                empty="All that were there are there",
            ),
        ],
    ),
    Section(
        "",
        [
            timeseries(
                "Scrapes that came through",
                "Share of the last minute's scrapes that were answered. A saturated service must "
                "stay at 100 %.",
                "percentunit",
                Query(
                    "avg by (service) "
                    '(avg_over_time(target:up:seen{job="services",service=~"$service"}[1m]))'
                ),
            ),
            timeseries(
                "Scrape duration",
                "How long a target takes to answer Prometheus. At 1.9 s (red) a scrape is lost.",
                "s",
                Query(
                    'scrape_duration_seconds{service=~"|$service"} and on (job, instance) up == 1',
                    "{{job}} {{service}}",
                ),
                limit=1.9,
            ),
        ],
    ),
]
