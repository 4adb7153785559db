"""A client that announces a body and falls silent: told so in the end, and nobody waits for it."""

from __future__ import annotations

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from loadtest.manifest import Row
from loadtest.native import Lab

BEGUN = (
    b"POST /orders HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\n"
    b'Content-Length: 100\r\n\r\n{"customer'
)
LIMIT_S = 20  # twice what the contract says: these machines are slow at times


def answer(row: Row) -> tuple[int, Any]:
    """Status and document of the answer to a request that is never whole."""
    with (
        socket.create_connection(("127.0.0.1", row.port), timeout=LIMIT_S) as client,
        client.makefile("rb") as received,
    ):
        client.sendall(BEGUN)
        status = int(received.readline().split()[1])
        head = http.client.parse_headers(received)
        return status, json.loads(received.read(int(head["Content-Length"])))


@pytest.fixture(scope="module")
def answers(lab: Lab) -> dict[str, tuple[int, Any]]:
    """All rows are asked at once, as each takes its time."""
    with ThreadPoolExecutor(len(lab.rows)) as clients:
        return dict(zip(lab.rows, clients.map(answer, lab.rows.values()), strict=True))


def test_a_body_that_never_comes_is_the_clients_fault(
    row: Row, answers: dict[str, tuple[int, Any]]
) -> None:
    status, document = answers[row.name]
    assert status == 400
    assert document["error"]["code"] == "malformed"
