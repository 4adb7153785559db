"""Streams are counted while they last, and their length is no response time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from lab.metrics.counting import Message, Scope, Send
from lab.metrics.exporter import Workers
from lab.metrics.meters import FINE_DURATION, WorkerMetrics
from tests.services.metrics.counting import application, counted, environ


async def nothing() -> Message:
    return {}


async def nobody(_: Message) -> None: ...


@pytest.mark.parametrize("parts_sent", [0, 1, 2, 3])
def test_wsgi_stream_is_in_flight_until_its_server_closes_it(
    worker: WorkerMetrics, workers: Workers, parts_sent: int
) -> None:
    """However much of it has been sent by then: its client may have left."""
    closed: list[bool] = []

    def streaming(_: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return parts(closed)

    answer: Any = worker.wsgi(streaming)(environ("/stream"), lambda *_: None)
    sent = iter(answer)
    assert [next(sent, b"") for _ in range(parts_sent)] == [b"1", b"2", b""][:parts_sent]
    assert (in_flight(workers), counted(workers)) == (1, {})
    answer.close()
    answer.close()
    assert (in_flight(workers), counted(workers)) == (0, {("GET", "/stream", "200"): 1})
    assert closed == [True] * (parts_sent > 0)


def parts(closed: list[bool]) -> Iterator[bytes]:
    try:
        yield b"1"
        yield b"2"
    finally:
        closed.append(True)


def in_flight(workers: Workers) -> float:
    workers.refresh()
    return workers.active


def test_wsgi_stream_that_is_refused_or_fails_is_counted_as_that(
    worker: WorkerMetrics, workers: Workers
) -> None:
    def failing(_: dict[str, Any], __: Any) -> Iterable[bytes]:
        raise RuntimeError

    refused: Any = worker.wsgi(application)(environ("/stream", "422 Wrong"), lambda *_: None)
    assert list(refused) == [b""]
    refused.close()
    with pytest.raises(RuntimeError):
        worker.wsgi(failing)(environ("/stream"), lambda *_: None)
    assert counted(workers) == {("GET", "/stream", "422"): 1, ("GET", "/stream", "500"): 1}
    assert workers.active == 0


def test_percentiles_leave_out_what_lasts_as_long_as_it_is_asked_to(
    worker: WorkerMetrics, workers: Workers
) -> None:
    async def answering(_: Scope, __: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def main() -> None:
        for path in ("/stream", "/readyz", "/json"):
            scope = {"type": "http", "method": "GET", "path": path}
            await worker.asgi(answering)(scope, nothing, nobody)

    asyncio.run(main())
    for path in ("/stream", "/readyz", "/json"):
        answer: Any = worker.wsgi(application)(environ(path), lambda *_: None)
        getattr(answer, "close", int)()
    assert sum(counted(workers).values()) == 6
    assert sum(workers.totals[FINE_DURATION, ()]) == 2
