"""A client that goes away, after an answer or in the middle of a body: nothing is written, nothing
stays taken, and its connection is closed.
"""

from __future__ import annotations

import socket
import struct
from contextlib import ExitStack

import psutil
import psycopg
import pytest

from loadtest.backends.native import Lab
from loadtest.inventory.manifest import Service
from loadtest.run.sampler import scrape
from tests.conformance.clients import wire
from tests.conformance.conftest import written
from tests.waiting import eventually

CLIENTS = 8  # of each kind; more in all than the services with threads have slots
HALF = len(wire.ORDER) // 2
TYPE = f"Content-Type: {wire.JSON}"
BEGUN = {
    "announced": wire.head("POST", "/orders", TYPE, f"Content-Length: {len(wire.ORDER)}")
    + wire.ORDER[:HALF],
    "chunked": wire.head("POST", "/orders", TYPE, "Transfer-Encoding: chunked")
    + b"%x\r\n%b" % (len(wire.ORDER), wire.ORDER[:HALF]),
}
TAKEN = (
    "http_server_active_requests",
    "lab_slots_busy",
    "db_client_connection_count:used",
    "db_client_connection_pending_requests",
)
AT_ONCE = struct.pack("ii", 1, 0)  # linger for no time: `close` resets the connection
ASKED = wire.head("GET", "/json")
# What a client sends before it leaves, and whether it waits for an answer.
LEFT = {"an answer": (ASKED, True), "half a head": (ASKED[:-9], False), "nothing": (b"", False)}
MANY, FEW = 100, 30  # connections; files that a service may open meanwhile for itself
SOON_S = 30.0  # of the 75 s for which a client may keep a connection


def metrics(service: Service) -> dict[str, float]:
    return scrape(service.metrics_url(), wire.TIMEOUT_S)


def taken(service: Service) -> dict[str, float]:
    """What requests hold at the moment."""
    now = metrics(service)
    return {name: now[name] for name in TAKEN if now[name]}


def open_files(root: int) -> int:
    """Files and sockets that a process and all below it have open."""
    tree = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
    return sum(each.num_fds() for each in tree)


def leave(service: Service, after: str) -> None:
    sent, answered = LEFT[after]
    with wire.connect(service) as client:
        client.sendall(sent)
        if answered:
            assert client.recv(65536)


@pytest.mark.parametrize("after", LEFT)
def test_connections_that_clients_left_are_closed(service: Service, lab: Lab, after: str) -> None:
    """What stays open takes a file each, until there is none for whoever comes next.

    What a service opens for itself, it opens once: connections that it keeps come each time.
    """
    root, grown = lab.pid(service.name), list[int]()
    leave(service, after)

    def keeps_them() -> bool:
        before = open_files(root)
        for _ in range(MANY):
            leave(service, after)
        closed = eventually(lambda: open_files(root) < before + FEW, SOON_S)
        grown.append(open_files(root) - before)
        return not closed

    assert not (keeps_them() and keeps_them()), grown


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_nothing_is_left_of_orders_that_were_half_sent(
    service: Service, database: psycopg.Connection, reset: bool
) -> None:
    before, ended = written(database), metrics(service)["lab_workers_ended_total"]
    with ExitStack() as clients:
        for begun in BEGUN.values():
            for _ in range(CLIENTS):
                client = clients.enter_context(wire.connect(service))
                if reset:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                client.sendall(begun)
        assert eventually(lambda: metrics(service)["http_server_active_requests"] > 0)
    assert eventually(lambda: not taken(service)), taken(service)
    answer = wire.ask(service, wire.post("/orders", wire.ORDER))
    assert answer is not None
    assert answer[0] == 201
    assert written(database) == (before[0] + 1, before[1] + 1)
    assert metrics(service)["lab_workers_ended_total"] == ended
