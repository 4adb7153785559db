"""Counting around an application: a few microseconds a request, so every step is weighed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from lab.contract import route
from lab.lag import LagKind, start_thread
from lab.store import BOUNDS_S, FIRST_S, SUM

if TYPE_CHECKING:
    from lab.metrics import WorkerMetrics

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class CountedAnswer:
    """One histogram, looked up beforehand; for one thread, as an event loop is."""

    def __init__(self, metrics: WorkerMetrics, path: str, method: str, status: int) -> None:
        self._metrics, self._labels = metrics, (path, method, status)
        self._open()
        metrics.forked.append(self._open)

    def _open(self) -> None:
        self._values, self._begun = self._metrics.values, self._metrics.begun
        self._index = self._metrics.place(*self._labels)

    def begin(self) -> float:
        self._values[self._begun] += 1.0
        return perf_counter()

    def end(self, since: float) -> None:
        seconds = perf_counter() - since
        values, index = self._values, self._index
        values[index if seconds <= FIRST_S else index + bisect_left(BOUNDS_S, seconds)] += 1.0
        values[index + SUM] += seconds


def counted_asgi(
    app: ASGIApp,
    metrics: WorkerMetrics,
    stack: ASGIApp | None = None,
    defect: ASGIApp | None = None,
) -> ASGIApp:
    """Pure ASGI: no task, no copy of the request, one small closure for the status.

    An `app` that does no more than enter itself as scope["app"] and await its middleware `stack`,
    as Starlette's do, has that done here: a coroutine of its own costs 1.7 % of a small answer.
    `defect` answers where the stack raises before it has answered, as the outermost layer of such
    a stack does: it watches what is sent just as counting does, so that one of them can do both.

    Written out in one function that keeps all it needs in its own variables, as here a call, an
    attribute or a look-up costs as much as the counting; without the lock, as one thread runs an
    event loop. Requests mostly ask for what the one before asked for: its series is remembered.
    """
    values, begun, watched = metrics.values, metrics.begun, False
    clock, first_s, to_sum = perf_counter, FIRST_S, SUM
    called = stack or app
    last_route, last_method, last_status, last_index = "", "", 0, 0

    def forked() -> None:
        nonlocal values, begun, watched, last_method
        # No request has an empty method, so the next one looks its series up.
        values, begun, watched, last_method = metrics.values, metrics.begun, False, ""

    metrics.forked.append(forked)

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal watched, last_route, last_method, last_status, last_index
        if not watched:
            metrics.watch_loop()
            watched = True
        if stack:
            scope["app"] = app
        if scope["type"] != "http":
            return await called(scope, receive, send)
        start: Message | None = None

        def observed(message: Message) -> Awaitable[None]:
            nonlocal start
            if start is None and "status" in message:
                start = message
            return send(message)

        values[begun] += 1.0
        since = clock()
        try:
            await called(scope, receive, observed)
        except Exception:
            if defect and start is None:
                await defect(scope, receive, observed)
            raise  # for the server to log
        finally:
            seconds = clock() - since
            path, method, status = scope["path"], scope["method"], start["status"] if start else 500
            if path != last_route:
                path = route(path)
            if path != last_route or method != last_method or status != last_status:
                # First, as it may raise: the old series must not pass for the new one.
                last_index = metrics.place(path, method, status)
                last_route, last_method, last_status = path, method, status
            index = last_index
            values[index if seconds <= first_s else index + bisect_left(BOUNDS_S, seconds)] += 1.0
            values[index + to_sum] += seconds

    return counted


def counted_wsgi(app: WSGIApp, metrics: WorkerMetrics, kind: LagKind) -> WSGIApp:
    """Count a request from its pick-up by a worker until the application returns.

    In one function, as in `counted_asgi`, but under the lock, as threads run it side by side. A
    status is told from the one before by its line, which is seldom parsed so.
    """
    values, begun, lock, watched = metrics.values, metrics.begun, metrics.lock, False
    clock, first_s, to_sum = perf_counter, FIRST_S, SUM
    last_route, last_method, last_line, last_index = "", "", "", 0

    def forked() -> None:
        nonlocal values, begun, lock, watched, last_method
        values, begun, lock, watched = metrics.values, metrics.begun, metrics.lock, False
        last_method = ""

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
                values[index if seconds <= first_s else index + bisect_left(BOUNDS_S, seconds)] += (
                    1.0
                )
                values[index + to_sum] += seconds

    return counted
