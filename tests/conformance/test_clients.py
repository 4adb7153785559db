"""Clients that go away in the middle, and clients that do not wait: each gets what is its own."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest

from loadtest import sampler
from loadtest.conformance import Client
from loadtest.manifest import Row
from loadtest.native import Lab
from tests.waiting import eventually

ORDER = json.dumps({"customer_id": 1, "lines": [{"item_id": 1, "quantity": 1}]}).encode()
HEAD = (
    b"POST /orders HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(ORDER)
)
IN_HAND = (
    "http_server_active_requests",
    "lab_slots_busy",
    "db_client_connection_count:used",
    "db_client_connection_pending_requests",
)


@pytest.fixture
def orders(lab: Lab) -> Iterator[Callable[[], int]]:
    """Counts the orders that are stored."""
    with psycopg.connect(lab.database.full_url, autocommit=True) as database:

        def count() -> int:
            (found,) = database.execute("SELECT count(*) FROM orders").fetchone() or (0,)
            return int(found)

        yield count


def busy(row: Row) -> list[float]:
    """What the row says of requests in hand: all of it is 0 at rest."""
    metrics = sampler.scrape(row.metrics_url(), timeout_s=20)
    return [metrics[name] for name in IN_HAND]


def leave(client: socket.socket, *, reset: bool) -> None:
    """End the connection as a browser does that is closed, or as one that crashes."""
    if reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_client_that_leaves_in_mid_body_leaves_nothing(
    row: Row, orders: Callable[[], int], reset: bool
) -> None:
    before = orders()
    assert eventually(lambda: not any(busy(row)))
    client = socket.create_connection(("127.0.0.1", row.port), timeout=20)
    client.sendall(HEAD + ORDER[:-1])
    assert eventually(lambda: busy(row)[0] == 1)
    leave(client, reset=reset)
    assert eventually(lambda: not any(busy(row)))
    assert orders() == before
    with Client(row.url()) as other:
        answer = other.send("POST", "/orders", ORDER, {"Content-Type": "application/json"})
    assert answer.status == 201
    assert orders() == before + 1


@dataclass(frozen=True)
class Received:
    """One answer of several on a connection."""

    status: int
    body: bytes
    last: bool


def answers(row: Row, requests: bytes) -> Iterator[Received]:
    """What comes back for requests sent in one piece, until the row closes the connection."""
    with (
        socket.create_connection(("127.0.0.1", row.port), timeout=20) as client,
        client.makefile("rb") as received,
    ):
        client.sendall(requests)
        while line := received.readline():
            head = http.client.parse_headers(received)
            body = received.read(int(head["Content-Length"]))
            yield Received(
                int(line.split()[1]), body, head.get("Connection", "").lower() == "close"
            )


def test_requests_that_do_not_wait_are_answered_in_their_order(
    row: Row, orders: Callable[[], int]
) -> None:
    before = orders()
    get = b"GET %s HTTP/1.1\r\nHost: lab\r\n%s\r\n"
    found = list(
        answers(
            row,
            get % (b"/plaintext", b"")
            + HEAD
            + ORDER
            + get % (b"/json", b"")
            + get % (b"/items/1", b"Connection: close\r\n"),
        )
    )
    if found[0].last:
        # Gunicorn's sync worker ends every connection after one answer, and says so.
        assert row.name == "flask-sync"
        assert found == [Received(200, b"Hello, World!", True)]
        assert orders() == before
        return
    assert [each.status for each in found] == [200, 201, 200, 200]
    assert found[0].body == b"Hello, World!"
    assert json.loads(found[1].body)["total_cents"] > 0
    assert json.loads(found[2].body) == {"message": "Hello, World!"}
    assert json.loads(found[3].body)["id"] == 1
    assert [each.last for each in found] == [False, False, False, True]
    assert orders() == before + 1
