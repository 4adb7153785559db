"""What a worker process counts, at a cost of a few microseconds a request.

Labelled series are looked up once and kept; a request then adds to doubles in mapped memory
(`lab.store`). `lab.exporter` turns the files of all workers into Prometheus text.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from threading import Lock
from time import perf_counter
from typing import Any, Protocol

from lab.about import About
from lab.contract import route
from lab.lag import LagKind, start_thread, watch_loop
from lab.poolmeter import LockedPool, PoolCounters, PoolMeter
from lab.settings import Settings
from lab.store import BOUNDS_S, FIRST_S, HISTOGRAM_SIZE, SUM, Store

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

DURATION = "http_server_request_duration_seconds"
ACTIVE = "http_server_active_requests"
BEGUN = "requests_begun"  # less those counted, it is the active ones: an addition saved
LAG = "lab_scheduling_lag_seconds"
INFO = "info"

METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
)


class Metrics(Protocol):
    """What a row asks of its metrics."""

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
        self._open()
        os.register_at_fork(after_in_child=self._open)

    def _open(self) -> None:
        """Start at zero in a file of this process's own."""
        self.lock = Lock()
        self._store = Store(self._settings.metrics_directory)
        self.values = self._store.values
        self.begun = self._store.reserve(BEGUN)
        self.known: dict[tuple[str, str, int], int] = {}
        self.watched = False  # whether this process measures scheduling lag already
        self._counters = PoolCounters(self._store)
        self._locked = LockedPool(self._counters, self.lock)
        if self._about:
            self.declare(self._about)

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

    def asgi(self, app: ASGIApp) -> ASGIApp:
        return _ASGIMetrics(app, self)

    def wsgi(self, app: WSGIApp, kind: LagKind = "thread") -> WSGIApp:
        return _WSGIMetrics(app, self, kind)


class _ASGIMetrics:
    """Pure ASGI: no task, no copy of the request, one small closure for the status.

    Written out in one function, as a call a step would cost more than the steps; without the
    lock, as one thread runs an event loop.
    """

    def __init__(self, app: ASGIApp, metrics: WorkerMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        metrics = self._metrics
        if not metrics.watched:
            watch_loop(metrics.lag("event_loop"))
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        status = 500

        def observed(message: Message) -> Awaitable[None]:
            nonlocal status
            if "status" in message:
                status = message["status"]
            return send(message)

        values = metrics.values
        values[metrics.begun] += 1.0
        since = perf_counter()
        try:
            await self._app(scope, receive, observed)
        finally:
            seconds = perf_counter() - since
            path, method = scope["path"], scope["method"]
            index = metrics.known.get((path, method, status)) or metrics.place(path, method, status)
            values[index if seconds <= FIRST_S else index + bisect_left(BOUNDS_S, seconds)] += 1.0
            values[index + SUM] += seconds


class _WSGIMetrics:
    """Counts a request from its pick-up by a worker until the application returns."""

    def __init__(self, app: WSGIApp, metrics: WorkerMetrics, kind: LagKind) -> None:
        self._app, self._metrics, self._kind = app, metrics, kind

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        metrics = self._metrics
        if not metrics.watched:
            start_thread(metrics.lag(self._kind))
        status = 500

        def observed(line: str, headers: Any, exc_info: Any = None) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, headers, exc_info)

        values = metrics.values
        with metrics.lock:
            values[metrics.begun] += 1.0
        since = perf_counter()
        try:
            return self._app(environ, observed)
        finally:
            seconds = perf_counter() - since
            path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
            with metrics.lock:
                index = metrics.known.get((path, method, status)) or metrics.place(
                    path, method, status
                )
                values[index + bisect_left(BOUNDS_S, seconds)] += 1.0
                values[index + SUM] += seconds
