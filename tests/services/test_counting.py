"""Requests around an application are counted exactly, over WSGI and over ASGI."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterable
from typing import Any, cast

import pytest

from lab.metrics import store
from lab.metrics.counting import STATUS, Message, Scope, Send
from lab.metrics.exporter import Workers
from lab.metrics.meters import LAG, WorkerMetrics
from lab.metrics.store import StoreFullError
from tests.services.counting import application, counted, environ


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


def test_asgi_requests_are_counted_in_the_place_of_an_application(
    worker: WorkerMetrics, workers: Workers
) -> None:
    entered: list[Any] = []

    async def application(_: Scope, __: Any, ___: Send) -> None:
        raise AssertionError("its stack is called in its place")

    async def stack(scope: Scope, _: Any, __: Send) -> None:
        entered.append(scope["app"])
        scope[STATUS] = 405

    async def main() -> None:
        app = worker.asgi(application, stack, stack)
        await app({"type": "http", "method": "PUT", "path": "/json"}, receive, send)

    asyncio.run(main())
    assert entered == [application]
    assert counted(workers) == {("PUT", "/json", "405"): 1}


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


@pytest.mark.parametrize("started", [False, True])
def test_defect_is_answered_once_and_goes_on(
    worker: WorkerMetrics, workers: Workers, started: bool
) -> None:
    sent: list[Message] = []

    async def answer(status: int, scope: Scope, send: Send) -> None:
        scope[STATUS] = status
        await send({"type": "http.response.start", "status": status})

    async def stack(scope: Scope, _: Any, send: Send) -> None:
        if started:
            await answer(200, scope, send)
        raise RuntimeError

    async def defect(scope: Scope, _: Any, send: Send) -> None:
        await answer(500, scope, send)

    async def sending(message: Message) -> None:
        sent.append(message)

    async def main() -> None:
        app = worker.asgi(stack, stack, defect)
        with pytest.raises(RuntimeError):
            await app({"type": "http", "method": "GET", "path": "/json"}, receive, sending)

    asyncio.run(main())
    status = 200 if started else 500
    assert [message["status"] for message in sent] == [status]
    assert counted(workers) == {("GET", "/json", str(status)): 1}


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


def test_forked_process_counts_asgi_requests_and_answers_in_its_own_file(
    worker: WorkerMetrics, workers: Workers
) -> None:
    async def answering(_: Scope, __: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})

    app, answer = worker.asgi(answering), worker.answer("GET", "/plaintext", 200)

    def requests() -> None:
        scope = {"type": "http", "method": "GET", "path": "/json"}
        asyncio.run(cast(Coroutine[Any, Any, None], app(scope, receive, send)))
        answer.end(answer.begin())

    requests()
    child = os.fork()
    if child == 0:
        requests()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert counted(workers) == {("GET", "/json", "200"): 2, ("GET", "/plaintext", "200"): 2}
    assert set(workers.requests.values()) == {2}
    assert workers.active == 0
