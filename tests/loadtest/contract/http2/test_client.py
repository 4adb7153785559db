"""Many requests on one connection: each gets its own answer, and what goes wrong has a name."""

from __future__ import annotations

import socket
import threading

import pytest

from loadtest.contract.http2.client import Answered, Http2Connection, Http2Error
from tests.loadtest.contract.http2.serving import GREETING, Ways, serving

OLDER = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def ask(port: int, *paths: str, timeout_s: float = 10.0) -> list[Answered]:
    connected = socket.create_connection(("127.0.0.1", port))
    with Http2Connection(connected, "http", f"127.0.0.1:{port}") as connection:
        return connection.ask(paths, timeout_s)


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_no_more_are_asked_at_once_than_the_server_takes(at_once: int) -> None:
    ways = Ways(at_once)
    paths = [f"/{number}" for number in range(100)]
    with serving(ways) as port:
        answers = ask(port, *paths)
    assert answers == [Answered(200, GREETING)] * 100
    assert sorted(ways.asked) == sorted(paths)
    assert ways.most <= at_once


def test_one_connection_is_asked_again() -> None:
    with serving(Ways()) as port:
        connected = socket.create_connection(("127.0.0.1", port))
        with Http2Connection(connected, "http", "lab") as connection:
            assert connection.ask(["/a"], 10.0) == [Answered(200, GREETING)]
            assert connection.ask(["/b", "/reset"], 10.0) == [Answered(200, GREETING), Answered()]


def test_a_server_that_leaves_is_named() -> None:
    with (
        serving(Ways(leaves_after=2)) as port,
        pytest.raises(Http2Error, match="closes the connection"),
    ):
        ask(port, "/a", "/b")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (OLDER, "answers in an older protocol"),
        (bytes(8) + b"\1" + bytes(9), "breaks the protocol"),
        (b"", "closes"),
        (None, "does not answer in time"),
    ],
)
def test_a_server_that_speaks_no_http2_is_named(said: bytes | None, told: str) -> None:
    done = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            if said is None:
                done.wait()
            else:
                connection.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(Http2Error, match=told):
            ask(listener.getsockname()[1], "/json", timeout_s=10.0 if said is not None else 0.2)
        done.set()
        thread.join()
