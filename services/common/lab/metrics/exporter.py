"""Prometheus metrics of a whole service, answered from outside its processes.

A saturated server must still be measured. So this never asks a worker: it reads the workers' files
(`lab.metrics.store`) and asks the operating system for the rest.
"""

from __future__ import annotations

import socket
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from operator import add
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from lab.metrics import meters, poolmeter, store
from lab.metrics.endpoint import Endpoint
from lab.metrics.processes import Tree, accept_backlog
from lab.metrics.recent import FINE_SIZE, Recent
from lab.metrics.store import BOUNDS_S, Series

Key = tuple[str, tuple[tuple[str, str], ...]]
_COUNTERS = frozenset([meters.DURATION, meters.FINE_DURATION, poolmeter.WAIT, poolmeter.FINE_WAIT])


def serve(directory: Path, root_pid: int, port: int, metrics_port: int, host: str) -> Endpoint:
    """Answer `/metrics` on `metrics_port` from this process; raises OSError where it is taken."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector(directory, root_pid, port))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, metrics_port), family=family)
    return Endpoint(listener, partial(generate_latest, registry), CONTENT_TYPE_PLAIN_0_0_4)


class Workers:
    """The sum over all workers' files. A dead worker's counts stay, its gauges go with it."""

    def __init__(self, directory: Path, lives: Callable[[int], bool] = psutil.pid_exists) -> None:
        self._directory, self._lives = directory, lives
        self._buried: dict[Key, list[float]] = {}
        self._buried_requests: Counter[str] = Counter()
        self.totals: dict[Key, list[float]] = {}
        self.requests: Counter[str] = Counter()
        self.active = 0.0  # requests in hand
        self.pool_used = self.pool_pending = 0.0  # connections, and who waits for one
        self.ended = 0
        self.info: Mapping[str, str] = {}

    def refresh(self) -> None:
        """Read every file again."""
        self.totals = {key: list(values) for key, values in self._buried.items()}
        self.requests = Counter(self._buried_requests)
        self.active = self.pool_used = self.pool_pending = 0.0
        files = sorted(self._directory.glob("*.lab"), key=lambda path: path.name)
        newest = {store.pid_of(path): path for path in files}
        for path in files:
            worker = str(store.pid_of(path))
            alive = newest[int(worker)] is path and self._lives(int(worker))
            self._take(path, worker, alive)

    def _take(self, path: Path, worker: str, alive: bool) -> None:
        series = store.read(path)
        for one in series:
            if one.name == meters.INFO:
                self.info = one.labels
            elif one.name in _COUNTERS or alive:
                _add(self.totals, one)
        count = sum(sum(one.values[1:]) for one in series if one.name == meters.DURATION)
        self.requests[worker] += int(count)
        if alive:
            self._take_gauges(series, count)
        else:
            self._bury(path, worker, series, int(count))

    def _take_gauges(self, series: Iterable[Series], count: float) -> None:
        """What is under way; never below zero, as one may begin and end while the file is read."""
        # A worker that has just started may not have them all.
        values = defaultdict(lambda: (0.0,), {one.name: one.values for one in series})
        taken = sum(values[poolmeter.WAIT][1:])
        asked, given_up = values[poolmeter.ASKED][0], values[poolmeter.GIVEN_UP][0]
        self.active += max(0.0, values[meters.BEGUN][0] - count)
        self.pool_pending += max(0.0, asked - taken - given_up)
        self.pool_used += max(0.0, taken - values[poolmeter.RELEASED][0])

    def _bury(self, path: Path, worker: str, series: list[Series], count: int) -> None:
        for one in series:
            if one.name in _COUNTERS:
                _add(self._buried, one)
        self._buried_requests[worker] += count
        self.ended += 1
        path.unlink(missing_ok=True)

    def gauge(self, name: str) -> float:
        """Sum of an unlabelled gauge over the living workers."""
        return self.totals.get((name, ()), [0.0])[0]


def _add(totals: dict[Key, list[float]], series: Series) -> None:
    key = series.name, tuple(series.labels.items())
    if series.name == meters.LAG:
        # The worst worker is what a request may meet; a sum would mean nothing.
        totals[key] = [max(totals.get(key, [0.0])[0], series.values[0])]
        return
    before = totals.get(key) or [0.0] * len(series.values)
    totals[key] = list(map(add, before, series.values))


class ServiceCollector(Collector):
    """Everything that one service shows to Prometheus."""

    def __init__(self, directory: Path, root_pid: int, port: int) -> None:
        self._tree, self._port = Tree(root_pid), port
        self._workers = Workers(directory, self._tree.has)
        self._durations, self._waits = Recent(), Recent()

    def collect(self) -> Iterator[Metric]:
        """One scrape."""
        workers = self._workers
        workers.refresh()
        yield from _requests(workers)
        yield from _slots(workers)
        yield from _pool(workers)
        yield from self._recent()
        yield from self._processes()

    def _recent(self) -> Iterator[Metric]:
        for name, text, fine, recent in (
            ("request_duration", "pick-up to answer", meters.FINE_DURATION, self._durations),
            ("connection_wait", "asking to a connection", poolmeter.FINE_WAIT, self._waits),
        ):
            quantiles = GaugeMetricFamily(
                f"lab_recent_{name}_seconds",
                f"Time from {text}, quantiles of the last 10 s",
                labels=["quantile"],
            )
            counts = self._workers.totals.get((fine, ()), [0.0] * FINE_SIZE)
            for share, seconds in recent.quantiles(counts).items():
                quantiles.add_metric([str(share)], seconds)
            yield quantiles

    def _processes(self) -> Iterator[Metric]:
        usage = self._tree.usage()
        yield _gauge("lab_threads", "Threads of all processes", usage.threads)
        yield _gauge("lab_processes", "Processes of the server", usage.processes)
        yield _gauge("lab_process_pss_bytes", "Proportional set size, all processes", usage.pss)
        cpu = CounterMetricFamily("lab_process_cpu_seconds", "CPU time, all processes", usage.cpu_s)
        yield cpu
        backlog = accept_backlog(self._port)
        if backlog is not None:
            yield _gauge("lab_accept_backlog", "Connections not accepted yet", backlog)


def _requests(workers: Workers) -> Iterator[Metric]:
    duration = HistogramMetricFamily(
        meters.DURATION,
        "Time from pick-up to answer, in seconds",
        labels=["http_request_method", "http_route", "http_response_status_code"],
    )
    for (name, labels), values in workers.totals.items():
        if name == meters.DURATION:
            duration.add_metric([value for _, value in labels], *_buckets(values))
    yield duration
    yield _gauge(meters.ACTIVE, "Requests in hand", workers.active)
    share = CounterMetricFamily("lab_worker_requests", "Requests by worker", labels=["worker"])
    for worker, count in workers.requests.items():
        share.add_metric([worker], count)
    yield share
    yield CounterMetricFamily("lab_workers_ended", "Workers that have ended", workers.ended)


def _slots(workers: Workers) -> Iterator[Metric]:
    lag = GaugeMetricFamily(meters.LAG, "Worst wake-up delay of a second", labels=["kind"])
    for (name, labels), values in workers.totals.items():
        if name == meters.LAG:
            lag.add_metric([value for _, value in labels], values[0])
    yield lag
    if not workers.info:
        return
    info = dict(workers.info)
    slots, bound_by = int(info.pop("slots")), info.pop("slots_bound_by")
    yield _gauge(
        "db_client_connection_max", "Pooled connections at most", int(info.pop("pool_max"))
    )
    busy = workers.pool_used if bound_by == "pool" else workers.active
    yield _gauge("lab_slots", "Requests that can wait for the database at once", slots)
    yield _gauge("lab_slots_busy", "Slots that hold a request", min(busy, slots))
    build = GaugeMetricFamily("lab_build_info", "What serves", labels=list(info))
    build.add_metric(list(info.values()), 1)
    yield build


def _pool(workers: Workers) -> Iterator[Metric]:
    used = workers.pool_used
    count = GaugeMetricFamily("db_client_connection_count", "Pooled connections", labels=["state"])
    count.add_metric(["used"], used)
    count.add_metric(["idle"], max(0.0, workers.gauge(poolmeter.SIZE) - used))
    yield count
    pending = workers.pool_pending
    yield _gauge("db_client_connection_pending_requests", "Waiting for a connection", pending)
    wait = HistogramMetricFamily(poolmeter.WAIT, "Time to get a connection, in seconds")
    if values := workers.totals.get((poolmeter.WAIT, ())):
        wait.add_metric([], *_buckets(values))
    yield wait


def _buckets(values: Iterable[float]) -> tuple[list[tuple[str, float]], float]:
    """Prometheus counts a bucket from zero, the files count each bucket alone."""
    total, *counts = values
    running, cumulative = 0.0, []
    for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], counts, strict=True):
        running += count
        cumulative.append((bound, running))
    return cumulative, total


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value)
