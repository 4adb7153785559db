"""What a worker process counts, at a cost of a few microseconds a request.

Labelled series are looked up once and kept; a request then adds to doubles in mapped memory
(`lab.metrics.store`). `lab.metrics.exporter` turns the files of all workers into Prometheus text.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock
from typing import Protocol

from lab.about import About
from lab.contract.routes import route
from lab.metrics.counting import ASGIApp, WSGIApp, counted_asgi, counted_wsgi
from lab.metrics.lag import LagKind, watch_loop
from lab.metrics.poolmeter import LockedPool, PoolCounters, PoolMeter
from lab.metrics.recent import FINE_SIZE
from lab.metrics.store import HISTOGRAM_SIZE, Store
from lab.settings import Settings

DURATION = "http_server_request_duration_seconds"
FINE_DURATION = "requests_fine"
ACTIVE = "http_server_active_requests"
BEGUN = "requests_begun"  # less those counted, it is the active ones: an addition saved
LAG = "lab_scheduling_lag_seconds"
INFO = "info"

METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
)


class Metrics(Protocol):
    """What a service asks of its metrics."""

    @property
    def pool(self) -> PoolMeter:
        """Counts what threads do with their pool."""
        ...

    @property
    def loop_pool(self) -> PoolMeter:
        """Counts what an event loop does with its pool, and so needs no lock."""
        ...

    def declare(self, about: About) -> None:
        """Publish what `/about` says."""

    def watch_pool(self, size: Callable[[], int]) -> None:
        """`size` tells how many connections are open, used and idle."""

    def asgi(self, app: ASGIApp) -> ASGIApp:
        """Wrap an ASGI application."""

    def wsgi(self, app: WSGIApp, kind: LagKind = "thread") -> WSGIApp:
        """Wrap a WSGI application."""


def create(settings: Settings) -> Metrics:
    """The metrics of this process, as LAB_METRICS says."""
    return WorkerMetrics(settings) if settings.metrics else NoMetrics()


class NoMetrics:
    """LAB_METRICS=off: nothing is wrapped, nothing is counted."""

    @property
    def pool(self) -> PoolMeter:
        return self

    loop_pool = pool

    def waiting(self) -> float:
        return 0.0

    def taken(self, since: float) -> None: ...
    def failed(self) -> None: ...
    def released(self) -> None: ...
    def declare(self, about: About) -> None: ...
    def watch_pool(self, size: Callable[[], int]) -> None: ...

    def asgi(self, app: ASGIApp) -> ASGIApp:
        return app

    def wsgi(self, app: WSGIApp, kind: LagKind = "thread") -> WSGIApp:  # noqa: ARG002
        return app


class WorkerMetrics:
    """The counters of one worker; safe to use from threads, greenlets and after a fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._about: About | None = None
        self._pool_size: Callable[[], int] | None = None
        self.forked: list[Callable[[], None]] = []  # called in a child, when its file is there
        self._open()
        os.register_at_fork(after_in_child=self._open)

    def _open(self) -> None:
        """Start at zero in a file of this process's own."""
        self.lock = Lock()
        self._store = Store(self._settings.metrics_directory)
        self.values = self._store.values
        self.begun = self._store.reserve(BEGUN)
        self.fine = self._store.reserve(FINE_DURATION, size=FINE_SIZE)
        self.known: dict[tuple[str, str, int], int] = {}
        self.watched = False  # whether this process measures scheduling lag already
        self._counters = PoolCounters(self._store)
        self._locked = LockedPool(self._counters, self.lock)
        if self._about:
            self.declare(self._about)
        for start_anew in self.forked:
            start_anew()

    @property
    def pool(self) -> PoolMeter:
        return self._locked

    @property
    def loop_pool(self) -> PoolMeter:
        return self._counters

    def declare(self, about: About) -> None:
        self._about = about
        labels = {
            "framework": about.framework,
            "server": about.server,
            "model": about.model,
            "language": "Python",
            "language_version": about.versions["python"],
            "slots": str(about.slots),
            "slots_bound_by": about.slots_bound_by,
            "pool_max": str(about.pool_size * about.workers),
        }
        self._store.reserve(INFO, labels)

    def watch_pool(self, size: Callable[[], int]) -> None:
        self._pool_size = size

    def place(self, path: str, method: str, status: int) -> int:
        """Where the histogram of a request's route, method and status begins."""
        template = route(path)
        return self.known.get((template, method, status)) or self._begin(template, method, status)

    def _begin(self, template: str, method: str, status: int) -> int:
        key = template, method if method in METHODS else "_OTHER", status
        index = self.known.get(key)
        if index is None:
            labels = {
                "http_request_method": key[1],
                "http_route": template,
                "http_response_status_code": str(status),
            }
            index = self.known[key] = self._store.reserve(DURATION, labels, HISTOGRAM_SIZE)
        return index

    def lag(self, kind: LagKind) -> Callable[[float], None]:
        """A function that records how late the scheduler ran something, in seconds."""
        self.watched = True
        index, values, counters = (
            self._store.reserve(LAG, {"kind": kind}),
            self.values,
            self._counters,
        )

        def record(seconds: float) -> None:
            values[index] = seconds
            if self._pool_size:
                counters.resized(self._pool_size())

        return record

    def watch_loop(self) -> None:
        """Measure how late the running event loop is, unless this process does already."""
        if not self.watched:
            watch_loop(self.lag("event_loop"))

    def asgi(self, app: ASGIApp) -> ASGIApp:
        return counted_asgi(app, self)

    def wsgi(self, app: WSGIApp, kind: LagKind = "thread") -> WSGIApp:
        return counted_wsgi(app, self, kind)
