"""Streams whose clients leave: they end, and nothing of them stays."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from loadtest.inventory.manifest import Service
from tests.conformance.clients import wire
from tests.conformance.clients.test_departure import AT_ONCE, metrics, taken
from tests.driving import measured_right
from tests.waiting import eventually

LONGEST_MS, SHORT_MS = 1000, 100  # between two events
CLIENTS = 3  # the fewest slots of a service
GONE_S = 2.0


def streaming(service: Service, pause_ms: int, clients: ExitStack) -> socket.socket:
    """A connection on which a stream has begun that goes on for longer than any test."""
    client = clients.enter_context(wire.connect(service))
    client.sendall(wire.head("GET", f"/stream?n=1000&ms={pause_ms}"))
    seen = b""
    while b'"event"' not in seen:
        received = client.recv(65536)
        assert received, seen
        seen += received
    return client


def pause_ms(service: Service) -> int:
    """As long as the contract has it, but where a blocked event loop waits for each in turn."""
    answer = wire.ask(service, wire.head("GET", "/about"))
    assert answer is not None
    return SHORT_MS if answer[1]["slots_bound_by"] == "event loop" else LONGEST_MS


def test_streams_end_with_their_clients(service: Service) -> None:
    ended, pause = metrics(service)["lab_workers_ended_total"], pause_ms(service)

    def leave() -> None:
        with ExitStack() as clients:
            for place in range(CLIENTS):
                client = streaming(service, pause, clients)
                if place % 2:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            assert eventually(lambda: metrics(service)["http_server_active_requests"] == CLIENTS)
        assert eventually(lambda: not taken(service), GONE_S), taken(service)

    measured_right(leave)
    assert wire.ask(service, wire.head("GET", "/json")) == (200, {"message": "Hello, World!"})
    assert metrics(service)["lab_workers_ended_total"] == ended
