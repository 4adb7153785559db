"""Events of `/stream`: from threads and from tasks the same, as the lab's own check reads them."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.contract import streams
from loadtest.contract import stream_check


async def awaited(n: int) -> list[bytes]:
    return [event async for event in streams.evented(n, 0)]


@given(st.integers(1, 50))
def test_threads_and_tasks_send_the_same_events(n: int) -> None:
    sent = list(streams.threaded(n, 0))
    assert sent == asyncio.run(awaited(n))
    read = stream_check.events(b"".join(sent).decode())
    assert read == [{"event": number} for number in range(n)]


@pytest.mark.parametrize("pause_ms", [1, 1000])
def test_the_first_event_comes_at_once_and_the_last_is_the_end(
    pause_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("lab.contract.streams.time.sleep", slept.append)
    pauses = [len(slept) for _ in streams.threaded(3, pause_ms)]
    assert (pauses, slept) == ([0, 1, 2], [pause_ms / 1000] * 2)


@pytest.fixture
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection: the client's, and what the server has of it."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
    ):
        server, _ = listener.accept()
        with server:
            yield client, server


Connected = tuple[socket.socket, socket.socket]
LONG_MS = 60_000  # a test that waits for it fails by its own timeout


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_thread_that_sleeps_wakes_up_where_its_client_leaves(
    connected: Connected, reset: bool
) -> None:
    client, server = connected
    sent = streams.threaded(2, LONG_MS, server)
    assert next(sent) == streams.event(0)
    if reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    threading.Timer(0.05, client.close).start()
    with pytest.raises(BrokenPipeError):
        next(sent)
    assert list(sent) == []


@pytest.mark.parametrize("more", [b"", b"GET /json HTTP/1.1"], ids=["silent", "asks more"])
def test_a_thread_sends_all_events_to_a_client_that_stays(
    connected: Connected, more: bytes
) -> None:
    client, server = connected
    client.sendall(more)
    began = time.monotonic()
    assert list(streams.threaded(3, 30, server)) == [streams.event(each) for each in range(3)]
    assert time.monotonic() - began >= 0.06
    client.shutdown(socket.SHUT_WR)
    assert server.recv(100) == more  # nobody has taken it


def test_where_the_server_hands_out_no_connection_a_thread_just_sleeps() -> None:
    assert streams.client({"wsgi.url_scheme": "http"}) is None
    assert len(list(streams.threaded(3, 1, streams.client({})))) == 3


def test_a_task_that_is_cancelled_ends_its_events() -> None:
    async def main() -> None:
        sent = streams.evented(2, 60_000)
        assert await anext(sent) == streams.event(0)
        pausing = asyncio.ensure_future(anext(sent))
        await asyncio.sleep(0)
        pausing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pausing
        with pytest.raises(StopAsyncIteration):
            await anext(sent)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ('data: {"event": 0}\n\ndata:{"event":1}\n\n', [{"event": 0}, {"event": 1}]),
        ('data: {"event": 0}\r\n\r\n', [{"event": 0}]),
        (': ping\n\nid: 7\nevent: x\ndata: {"event":\ndata: 0}\n\n', [{"event": 0}]),
        ('data: {"event": 0}\n\ndata: {"ev', [{"event": 0}]),
        ('data: {"event": 0}\n', []),
        ("", []),
    ],
)
def test_only_whole_events_count(text: str, events: list[object]) -> None:
    assert stream_check.events(text) == events
