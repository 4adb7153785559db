"""Counting around an application: a few microseconds a request, so every step is weighed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from lab.contract.routes import route
from lab.metrics.lag import LagKind, start_thread
from lab.metrics.store import FIRST_S, bucket

if TYPE_CHECKING:
    from lab.metrics.meters import WorkerMetrics

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

STATUS = "lab.status"  # where a scope says what it was answered with


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
        values[index] += seconds
        values[index + (1 if seconds <= FIRST_S else bucket(seconds))] += 1.0


def counted_asgi(
    app: ASGIApp,
    metrics: WorkerMetrics,
    stack: ASGIApp | None = None,
    defect: ASGIApp | None = None,
) -> ASGIApp:
    """Pure ASGI: no task, and no copy of the request.

    An `app` that does no more than enter itself as scope["app"] and await its middleware `stack`,
    as Starlette's do, has that done here. Such a stack notes its status as scope[STATUS] itself
    when its answer begins, and `defect` answers where it raises before that.

    Written out in one function that keeps all it needs in its own variables, as here a call, an
    attribute or a look-up costs as much as the counting; without the lock, as one thread runs an
    event loop.
    """
    values, begun, known = metrics.values, metrics.begun, metrics.known
    clock, first_s, noting = perf_counter, FIRST_S, STATUS
    called = stack or noted(app)

    def place(path: str, method: str, status: int) -> int:
        metrics.watch_loop()  # here too, for a server that sends no lifespan
        return metrics.place(path, method, status)

    def forked() -> None:
        nonlocal values, begun, known
        values, begun, known = metrics.values, metrics.begun, metrics.known

    metrics.forked.append(forked)

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":  # a server's first call in the loop that it will run
                metrics.watch_loop()
            return await app(scope, receive, send)
        if stack is not None:
            scope["app"] = app
        values[begun] += 1.0
        since = clock()
        try:
            await called(scope, receive, send)
        except Exception:
            if defect and noting not in scope:
                await defect(scope, receive, send)
            raise  # for the server to log
        finally:
            seconds = clock() - since
            key = scope["path"], scope["method"], scope.get(noting, 500)
            # A path without parameters is its own route.
            index = known.get(key) or place(*key)
            values[index] += seconds
            values[index + (1 if seconds <= first_s else bucket(seconds))] += 1.0

    return counted


def noted(app: ASGIApp) -> ASGIApp:
    """Note the status that `app` sends as scope[STATUS], by one small closure and no task."""

    def watched(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        def observed(message: Message) -> Awaitable[None]:
            if "status" in message:
                scope[STATUS] = message["status"]
            return send(message)

        return app(scope, receive, observed)

    return watched


def counted_wsgi(app: WSGIApp, metrics: WorkerMetrics, kind: LagKind) -> WSGIApp:
    """Count a request from its pick-up by a worker until the application returns.

    In one function, as in `counted_asgi`, but under the lock, as threads run it side by side. A
    status is told from the one before by its line, which is seldom parsed so.
    """
    values, begun, lock, watched = metrics.values, metrics.begun, metrics.lock, False
    clock, first_s = perf_counter, FIRST_S
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
                values[index] += seconds
                values[index + (1 if seconds <= first_s else bucket(seconds))] += 1.0

    return counted
