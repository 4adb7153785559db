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
FEWEST = 3  # slots of a service
MANY = {"fastapi-async": 200}  # five times its slots for the database, which a stream does not need
# The contract allows a second. These learn of it later: gunicorn looks after that second, a thread
# that can't watch its client wakes up for the next event, and a blocked loop waits for all in turn.
GONE_S, LATER_S = 1.0, 2.0
LATER = ("fastapi-gunicorn", "fastapi-sync", "flask-asgi", "fastapi-blocking")


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
    clients_at_once = MANY.get(service.name, FEWEST)
    gone_s = LATER_S if service.name in LATER else GONE_S

    def leave() -> None:
        with ExitStack() as clients:
            for place in range(clients_at_once):
                client = streaming(service, pause, clients)
                if place % 2:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            assert eventually(
                lambda: metrics(service)["http_server_active_requests"] == clients_at_once
            )
        assert eventually(lambda: not taken(service), gone_s), taken(service)

    measured_right(leave)
    assert wire.ask(service, wire.head("GET", "/json")) == (200, {"message": "Hello, World!"})
    assert metrics(service)["lab_workers_ended_total"] == ended
