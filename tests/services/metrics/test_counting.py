"""Requests around an application are counted exactly, over WSGI and over ASGI."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterable
from typing import Any, cast

import pytest

from lab.metrics import store
from lab.metrics.counting import Message, Scope, Send
from lab.metrics.exporter import Workers
from lab.metrics.meters import LAG, WorkerMetrics
from lab.metrics.store import StoreFullError
from tests.services.metrics.counting import application, counted, environ


def test_wsgi_requests_are_counted_exactly_from_many_threads(
    worker: WorkerMetrics, workers: Workers
) -> None:
    app = worker.wsgi(application)

    def requests() -> None:
        for _ in range(500):
            app(environ("/json"), lambda *_: None)

    threads = [threading.Thread(target=requests) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(workers) == {("GET", "/json", "200"): 4000}
    assert workers.active == 0
    assert sum(workers.requests.values()) == 4000


def test_wsgi_requests_of_threads_are_told_apart_exactly(
    worker: WorkerMetrics, workers: Workers
) -> None:
    app = worker.wsgi(application)
    asked = [("/json", "200 OK"), ("/json", "503 Busy"), ("/items/7", "200 OK"), ("/no", "404 No")]

    def requests() -> None:
        for _ in range(200):
            for path, status in asked:
                app(environ(path, status), lambda *_: None)

    threads = [threading.Thread(target=requests) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [
        ("/json", "200"),
        ("/json", "503"),
        ("/items/{id}", "200"),
        ("unmatched", "404"),
    ]
    assert counted(workers) == {("GET", route, status): 1600 for route, status in expected}
    assert workers.active == 0


def test_wsgi_request_whose_series_has_no_room_is_not_counted_as_another(
    worker: WorkerMetrics, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = worker.wsgi(application)
    app(environ("/json"), lambda *_: None)
    monkeypatch.setattr(store, "TEXT_BYTES", 0)
    for _ in range(2):
        with pytest.raises(StoreFullError):
            app(environ("/items"), lambda *_: None)
    assert counted(workers) == {("GET", "/json", "200"): 1}


def test_forked_process_counts_wsgi_requests_in_its_own_file(
    worker: WorkerMetrics, workers: Workers
) -> None:
    app = worker.wsgi(application)
    app(environ("/json"), lambda *_: None)
    child = os.fork()
    if child == 0:
        app(environ("/json"), lambda *_: None)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert counted(workers) == {("GET", "/json", "200"): 2}
    assert set(workers.requests.values()) == {1}


def test_labels_are_few_whatever_is_asked(worker: WorkerMetrics, workers: Workers) -> None:
    app = worker.wsgi(application)
    for number in range(50):
        app(environ(f"/items/{number}"), lambda *_: None)
        app(environ(f"/no/{number}", "404 Not Found", f"M{number}"), lambda *_: None)
    assert counted(workers) == {
        ("GET", "/items/{id}", "200"): 50,
        ("_OTHER", "unmatched", "404"): 50,
    }


def test_wsgi_application_that_fails_counts_as_500(worker: WorkerMetrics, workers: Workers) -> None:
    def failing(_: dict[str, Any], __: Any) -> Iterable[bytes]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        worker.wsgi(failing)(environ("/json"), lambda *_: None)
    assert counted(workers) == {("GET", "/json", "500"): 1}
    assert workers.active == 0


def test_asgi_requests_are_counted_and_seen_while_active(
    worker: WorkerMetrics, workers: Workers
) -> None:
    active: list[float] = []

    async def answering(_: Scope, __: Any, send: Send) -> None:
        workers.refresh()
        active.append(workers.active)
        await send({"type": "http.response.start", "status": 201})
        await send({"type": "http.response.body"})

    async def failing(_: Scope, __: Any, ___: Any) -> None:
        raise RuntimeError

    async def main() -> None:
        scope = {"type": "http", "method": "POST", "path": "/orders"}
        await worker.asgi(answering)(dict(scope), receive, send)
        with pytest.raises(RuntimeError):
            await worker.asgi(failing)(dict(scope), receive, send)

    asyncio.run(main())
    assert active == [1]
    assert counted(workers) == {("POST", "/orders", "201"): 1, ("POST", "/orders", "500"): 1}
    assert workers.active == 0


async def receive() -> Message:
    return {}


async def send(_: Message) -> None: ...


def test_asgi_requests_are_told_apart_in_any_order(worker: WorkerMetrics, workers: Workers) -> None:
    async def answering(scope: Scope, _: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": scope["status"]})
        await send({"type": "http.response.body"})

    async def main() -> None:
        app = worker.asgi(answering)
        for number in range(3):
            for path in ("/json", "/json", f"/items/{number}", "/plaintext"):
                for method, status in (("GET", 200), ("GET", 503), ("PUT", 503)):
                    scope = {"type": "http", "method": method, "path": path, "status": status}
                    await app(scope, receive, send)

    asyncio.run(main())
    expected = {("/json", 6), ("/items/{id}", 3), ("/plaintext", 3)}
    assert counted(workers) == {
        (method, route, status): count
        for route, count in expected
        for method, status in (("GET", "200"), ("GET", "503"), ("PUT", "503"))
    }
    assert workers.active == 0


@pytest.mark.parametrize(
    "first",
    [{"type": "lifespan"}, {"type": "http", "method": "GET", "path": "/json"}],
    ids=["lifespan", "no-lifespan"],
)
def test_event_loop_is_watched_from_its_first_message(
    worker: WorkerMetrics, workers: Workers, first: Scope
) -> None:
    async def idle(_: Scope, __: Any, ___: Send) -> None: ...

    async def main() -> None:
        await worker.asgi(idle)(first, receive, send)

    asyncio.run(main())
    workers.refresh()
    assert (LAG, (("kind", "event_loop"),)) in workers.totals


def test_asgi_application_that_fails_behind_its_answer_counts_as_that(
    worker: WorkerMetrics, workers: Workers
) -> None:
    async def answering(_: Scope, __: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 201})
        raise RuntimeError

    async def main() -> None:
        scope = {"type": "http", "method": "POST", "path": "/orders"}
        with pytest.raises(RuntimeError):
            await worker.asgi(answering)(scope, receive, send)

    asyncio.run(main())
    assert counted(workers) == {("POST", "/orders", "201"): 1}


def test_asgi_request_whose_series_has_no_room_is_not_counted_as_another(
    worker: WorkerMetrics, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answering(_: Scope, __: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def main() -> None:
        app = worker.asgi(answering)
        await app({"type": "http", "method": "GET", "path": "/json"}, receive, send)
        monkeypatch.setattr(store, "TEXT_BYTES", 0)
        for _ in range(2):
            with pytest.raises(StoreFullError):
                await app({"type": "http", "method": "GET", "path": "/items"}, receive, send)

    asyncio.run(main())
    assert counted(workers) == {("GET", "/json", "200"): 1}


def test_forked_process_counts_asgi_requests_in_its_own_file(
    worker: WorkerMetrics, workers: Workers
) -> None:
    async def answering(_: Scope, __: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})

    app = worker.asgi(answering)

    def requests() -> None:
        scope = {"type": "http", "method": "GET", "path": "/json"}
        asyncio.run(cast(Coroutine[Any, Any, None], app(scope, receive, send)))

    requests()
    child = os.fork()
    if child == 0:
        requests()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert counted(workers) == {("GET", "/json", "200"): 2}
    assert set(workers.requests.values()) == {1}
    assert workers.active == 0
