"""The load side for Prometheus: users, outcomes and client latencies by service and scenario.

Runs in the Locust process that has the whole picture: alone, or the master, to which workers
report what happened since their last report. It costs nothing a request: latencies come as the
engine's histograms and are put into Prometheus' buckets when somebody asks.
"""

from __future__ import annotations

import logging
import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gevent import socket
from gevent.pywsgi import WSGIServer
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from loadtest.engine.tally import Batch
from loadtest.generator.recent import Recent
from loadtest.stats.histogram import Histogram, merged, value_of
from loadtest.system import ports

# The services' own buckets (services/common/lab/metrics/store.py), so that both sides compare.
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
OK = "ok"
PORT_VARIABLE, CEILING_VARIABLE = "LAB_LOAD_METRICS_PORT", "LAB_CEILING_RPS"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Phase:
    """What a service goes through now. `name`: ramp, warm-up, measured …"""

    run_id: str
    service: str
    scenario: str
    name: str


class LoadCounts:
    """Outcomes and latencies by (service, scenario), since the beginning or the last `take`.

    `recent` makes what tells the percentiles of the last seconds of one service.
    """

    def __init__(self, recent: Callable[[], Recent] = Recent) -> None:
        self.outcomes: dict[tuple[str, str], Counter[str]] = {}
        self.response: dict[tuple[str, str], Histogram] = {}
        self.abandoned: Counter[tuple[str, str]] = Counter()
        self._recent: defaultdict[str, Recent] = defaultdict(recent)

    def add(self, batch: Batch) -> None:
        """Count what one kind of request did."""
        outcomes, response = self._of(batch.service, batch.scenario)
        outcomes[OK] += batch.answered
        outcomes.update(batch.errors)
        self.abandoned[batch.service, batch.scenario] += batch.abandoned
        response.merge(batch.response)

    def take(self) -> list[Any]:
        """Everything as plain values, for `merge` in another process; the counts begin anew."""
        taken = [
            [*key, dict(outcomes), self.response[key].sparse(), self.abandoned[key]]
            for key, outcomes in self.outcomes.items()
        ]
        self.abandoned.clear()
        self.outcomes.clear()
        self.response.clear()
        return taken

    def merge(self, taken: Iterable[Any]) -> None:
        """Add what `take` of a worker gave."""
        for service, scenario, counts, latencies, abandoned in taken:
            outcomes, response = self._of(service, scenario)
            self.abandoned[service, scenario] += abandoned
            outcomes.update(counts)
            response.add_sparse(latencies)

    def quantiles(self) -> Iterator[tuple[str, float, float]]:
        """Each service's response time over the last ten seconds: service, quantile, seconds."""
        for service, recent in self._recent.items():
            own = [each for (name, _), each in self.response.items() if name == service]
            for share, seconds in recent.quantiles(merged(own)).items():
                yield service, share, seconds

    def _of(self, service: str, scenario: str) -> tuple[Counter[str], Histogram]:
        key = service, scenario
        self._recent[service]  # its window begins before its first answer
        # A service that only fails still has a goodput: 0.
        return (
            self.outcomes.setdefault(key, Counter({OK: 0})),
            self.response.setdefault(key, Histogram()),
        )


@dataclass(frozen=True)
class LoadCollector(Collector):
    """What a scrape of the load side shows.

    users:         users by (service, scenario) now
    in_flight:     requests sent and not yet answered, likewise
    waits:         seconds that one request holds a slot, likewise, where the scenario tells
    cpu_ratio:     the busiest generator process, CPU seconds a second
    ceiling_ratio: throughput against what this generator can make, None where never measured
    phases:        what runs now
    """

    counts: LoadCounts
    users: Callable[[], Mapping[tuple[str, str], int]]
    in_flight: Callable[[], Mapping[tuple[str, str], int]]
    waits: Callable[[], Mapping[tuple[str, str], float]]
    cpu_ratio: Callable[[], float]
    ceiling_ratio: Callable[[], float | None]
    phases: Callable[[], Iterable[Phase]]

    def collect(self) -> Iterator[Metric]:
        """One scrape."""
        yield _by_scenario("lab_load_users", "Users kept busy", self.users())
        yield _by_scenario(
            "lab_load_in_flight", "Requests sent and not yet answered", self.in_flight()
        )
        yield _by_scenario(
            "lab_load_wait_seconds", "How long one request holds a slot", self.waits()
        )
        yield self._requests()
        yield self._abandoned()
        yield self._response()
        yield self._recent()
        yield GaugeMetricFamily(
            "lab_load_generator_cpu_ratio", "CPU of the busiest generator process", self.cpu_ratio()
        )
        ceiling = self.ceiling_ratio()
        if ceiling is not None:
            yield GaugeMetricFamily(
                "lab_load_ceiling_ratio", "Throughput against the generator's ceiling", ceiling
            )
        yield self._phases()

    def _requests(self) -> Metric:
        requests = CounterMetricFamily(
            "lab_load_requests",
            "Requests that ended, as the client checked them",
            labels=["service", "scenario", "outcome"],
        )
        for labels, outcomes in self.counts.outcomes.items():
            for outcome, count in outcomes.items():
                requests.add_metric([*labels, outcome], count)
        return requests

    def _abandoned(self) -> Metric:
        abandoned = CounterMetricFamily(
            "lab_load_abandoned",
            "Requests in hand when their user was stopped: the service may have answered them",
            labels=["service", "scenario"],
        )
        for labels in self.counts.outcomes:
            abandoned.add_metric([*labels], self.counts.abandoned[labels])
        return abandoned

    def _response(self) -> Metric:
        response = HistogramMetricFamily(
            "lab_load_response_seconds",
            "Time from the intended send to the end of the answer, failures included",
            labels=["service", "scenario"],
        )
        for labels, histogram in self.counts.response.items():
            response.add_metric(labels, *prometheus_buckets(histogram))
        return response

    def _recent(self) -> Metric:
        recent = GaugeMetricFamily(
            "lab_load_recent_response_seconds",
            "Time from the intended send to the end of the answer, quantiles of the last 10 s",
            labels=["service", "quantile"],
        )
        for service, share, seconds in self.counts.quantiles():
            recent.add_metric([service, str(share)], seconds)
        return recent

    def _phases(self) -> Metric:
        info = GaugeMetricFamily(
            "lab_phase_info",
            "What runs now",
            labels=["run_id", "service", "scenario", "phase"],
        )
        for phase in self.phases():
            info.add_metric([phase.run_id, phase.service, phase.scenario, phase.name], 1)
        return info


def _by_scenario(name: str, text: str, values: Mapping[tuple[str, str], float]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=["service", "scenario"])
    for labels, value in values.items():
        gauge.add_metric(labels, value)
    return gauge


def prometheus_buckets(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    """Cumulative counts by upper bound in seconds, and the sum of all latencies in seconds.

    HdrHistogram keeps three digits, so that a value may stand 0.1 % from where it was.
    """
    counts, total = [0] * (len(BOUNDS_S) + 1), 0.0
    for bucket, count in histogram.sparse().items():
        seconds = value_of(bucket) / 1e6
        counts[bisect_left(BOUNDS_S, seconds)] += count
        total += seconds * count
    bounds = [*map(str, BOUNDS_S), "+Inf"]
    return list(zip(bounds, np.cumsum(counts).tolist(), strict=True)), total


def serve(collector: Collector, port: int, host: str) -> WSGIServer | None:
    """Answer `/metrics` on `port`; where that is taken say so and let the load go on without."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        logger.warning(
            "the load's metrics are not served: port %s: %s; choose another with "
            "LAB_LOAD_METRICS_PORT",
            port,
            error.strerror,
        )
        return None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    server = WSGIServer(listener, make_wsgi_app(registry), log=None)
    server.start()
    return server


def port_from(variables: Mapping[str, str]) -> int | None:
    """The port that the variables name, the default where they name none; None where it is no port.

    Metrics are a help and no condition: a wrong value is a warning and the load goes on.
    """
    text = variables.get(PORT_VARIABLE) or str(ports.LOAD_METRICS)
    if text.isdecimal() and int(text) < 65536:
        return int(text)
    logger.warning("%s=%r is no port: the load's metrics are not served", PORT_VARIABLE, text)
    return None


def ceiling_from(variables: Mapping[str, str]) -> float | None:
    """Requests a second that the generator can make, as the variables tell; None where unknown."""
    text = variables.get(CEILING_VARIABLE) or ""
    try:
        ceiling = float(text or "nan")
    except ValueError:
        ceiling = math.nan
    if 0 < ceiling < math.inf:
        return ceiling
    if text:
        logger.warning("%s=%r: give requests/s; no share of it is shown", CEILING_VARIABLE, text)
    return None
