"""Streams whose clients leave: they end, and nothing of them stays."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from loadtest.inventory.manifest import Service
from tests.conformance.clients import wire
from tests.conformance.clients.test_departure import AT_ONCE, metrics, taken
from tests.waiting import eventually

LASTING = wire.head("GET", "/stream?n=1000&ms=100")  # 100 s, were they not ended
CLIENTS = 3  # the fewest slots of a service
SOON_S = 10.0  # the contract has a fifth of a second; a machine may stall


def streaming(service: Service, clients: ExitStack) -> socket.socket:
    """A connection on which a stream has begun."""
    client = clients.enter_context(wire.connect(service))
    client.sendall(LASTING)
    seen = b""
    while b'"event"' not in seen:
        received = client.recv(65536)
        assert received, seen
        seen += received
    return client


def test_streams_end_with_their_clients(service: Service) -> None:
    ended = metrics(service)["lab_workers_ended_total"]
    with ExitStack() as clients:
        for place in range(CLIENTS):
            client = streaming(service, clients)
            if place % 2:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        assert eventually(lambda: metrics(service)["http_server_active_requests"] == CLIENTS)
    assert eventually(lambda: not taken(service), SOON_S), taken(service)
    assert wire.ask(service, wire.head("GET", "/json")) == (200, {"message": "Hello, World!"})
    assert metrics(service)["lab_workers_ended_total"] == ended
