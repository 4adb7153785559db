"""Middleware that counts, for ASGI and for WSGI: some microseconds a request, so steps are few."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from threading import Lock
from time import perf_counter
from typing import Any, Protocol

from lab.contract.routes import STREAM, route
from lab.metrics.lag import LagKind, start_thread
from lab.metrics.lasting import Lasting
from lab.metrics.recent import FINE_S
from lab.metrics.store import FIRST_S, bucket

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

UNTIMED = frozenset(("/about", "/healthz", "/readyz", STREAM))
"""Paths that percentiles leave out.

No load asks the probes, which would flatter a service under load. A stream lasts as long as its
client wants.
"""


class Counters(Protocol):
    """Where a worker counts (`lab.metrics.meters.WorkerMetrics`)."""

    values: memoryview[float]
    begun: int
    fine: int
    known: dict[tuple[str, str, int], int]
    lock: Lock
    watched: bool
    forked: list[Callable[[], None]]

    def place(self, path: str, method: str, status: int) -> int:
        """Where the histogram of a request's route, method and status begins."""

    def lag(self, kind: LagKind) -> Callable[[float], None]:
        """A function that records how late the scheduler ran something, in seconds."""

    def watch_loop(self) -> None:
        """Measure how late the running event loop is, unless this process does already."""


def counted_asgi(app: ASGIApp, metrics: Counters) -> ASGIApp:
    """Count a request from its entry until the application returns.

    Pure ASGI: no task, and no copy of the request. Written out in one function that keeps all it
    needs in its own variables, as here a call, an attribute or a look-up costs as much as the
    counting; without the lock, as one thread runs an event loop.
    """
    values, begun, known, fines = metrics.values, metrics.begun, metrics.known, metrics.fine
    clock, first_s, fine_of, bounds = perf_counter, FIRST_S, bisect_left, FINE_S
    untimed = UNTIMED

    def place(path: str, method: str, status: int) -> int:
        metrics.watch_loop()  # here too, for a server that sends no lifespan
        return metrics.place(path, method, status)

    def forked() -> None:
        nonlocal values, begun, known, fines
        values, begun, known, fines = metrics.values, metrics.begun, metrics.known, metrics.fine

    metrics.forked.append(forked)

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":  # a server's first call in the loop that it will run
                metrics.watch_loop()
            return await app(scope, receive, send)
        status = 500  # of an application that raises before it answers

        def observed(message: Message) -> Awaitable[None]:
            nonlocal status
            if "status" in message:
                status = message["status"]
            return send(message)

        values[begun] += 1.0
        since = clock()
        try:
            await app(scope, receive, observed)
        finally:
            seconds = clock() - since
            key = scope["path"], scope["method"], status
            # A path without parameters is its own route.
            index = known.get(key) or place(*key)
            values[index] += seconds
            values[index + (1 if seconds <= first_s else bucket(seconds))] += 1.0
            if key[0] not in untimed:
                values[fines + fine_of(bounds, seconds)] += 1.0

    return counted


def counted_wsgi(app: WSGIApp, metrics: Counters, kind: LagKind) -> WSGIApp:
    """Count a request from its pick-up by a worker until the application returns; a stream, until
    it ends.

    In one function, as in `counted_asgi`, but under the lock, as threads run it side by side. A
    status is told from the one before by its line, which is seldom parsed so.
    """
    values, begun, lock, watched = metrics.values, metrics.begun, metrics.lock, False
    fines, fine_of, bounds, untimed = metrics.fine, bisect_left, FINE_S, UNTIMED
    clock, first_s = perf_counter, FIRST_S
    last_route, last_method, last_line, last_index = "", "", "", 0

    def forked() -> None:
        nonlocal values, begun, lock, watched, last_method, fines
        values, begun, lock, watched = metrics.values, metrics.begun, metrics.lock, False
        last_method, fines = "", metrics.fine

    metrics.forked.append(forked)

    def watch() -> None:
        nonlocal watched
        with lock:
            if not metrics.watched:
                start_thread(metrics.lag(kind))
            watched = True

    def counted(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        nonlocal last_route, last_method, last_line, last_index
        if not watched:
            watch()
        if environ["PATH_INFO"] == STREAM:
            return _counted_stream(app, metrics, environ, start_response)
        line = ""

        def observed(status: str, headers: Any, exc_info: Any = None) -> Any:
            nonlocal line
            line = status
            return start_response(status, headers, exc_info)

        with lock:
            values[begun] += 1.0
        since = clock()
        try:
            return app(environ, observed)
        finally:
            seconds = clock() - since
            path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
            if path != last_route:
                path = route(path)
            with lock:
                if path != last_route or method != last_method or line != last_line:
                    # First, as it may raise: the old series must not pass for the new one.
                    last_index = metrics.place(path, method, int(line[:3]) if line else 500)
                    last_route, last_method, last_line = path, method, line
                index = last_index
                values[index] += seconds
                values[index + (1 if seconds <= first_s else bucket(seconds))] += 1.0
                if path not in untimed:
                    values[fines + fine_of(bounds, seconds)] += 1.0

    return counted


def _counted_stream(
    app: WSGIApp, metrics: Counters, environ: dict[str, Any], start_response: StartResponse
) -> Iterable[bytes]:
    """Count a request from its pick-up until the server closes the answer."""
    line = ""

    def observed(status: str, headers: Any, exc_info: Any = None) -> Any:
        nonlocal line
        line = status
        return start_response(status, headers, exc_info)

    def ended() -> None:
        seconds, status = perf_counter() - since, int(line[:3]) if line else 500
        with metrics.lock:
            index = metrics.place(STREAM, environ["REQUEST_METHOD"], status)
            metrics.values[index] += seconds
            metrics.values[index + bucket(seconds)] += 1.0

    with metrics.lock:
        metrics.values[metrics.begun] += 1.0
    since = perf_counter()
    try:
        return Lasting(app(environ, observed), ended)
    except BaseException:
        ended()
        raise
