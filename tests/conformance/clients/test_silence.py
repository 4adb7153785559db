"""A client that never sends the whole body: told so in the end, and nobody waits for it."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from loadtest.backends.native import Lab
from loadtest.inventory.manifest import Service
from tests.conformance.clients import wire

BEGUN = (
    wire.head("POST", "/orders", "Content-Type: application/json", "Content-Length: 100000")
    + b'{"customer'
)
DRIP_S = 1.0


def fall_silent(_: socket.socket) -> None:
    """Send no more."""


def drip(client: socket.socket) -> None:
    """Send a byte now and then until there is an answer; raises TimeoutError where none comes."""
    end = time.monotonic() + wire.TIMEOUT_S
    while not select.select([client], [], [], DRIP_S)[0]:
        if time.monotonic() > end:
            raise TimeoutError(f"still read after {wire.TIMEOUT_S:.0f} s")
        client.sendall(b" ")


MANNERS: Mapping[str, Callable[[socket.socket], None]] = {"silent": fall_silent, "dripping": drip}
Answer = tuple[int, Any] | None


def answer(service: Service, go_on: Callable[[socket.socket], None]) -> Answer:
    """What comes back to a request that is never whole."""
    with wire.connect(service) as client, client.makefile("rb") as received:
        client.sendall(BEGUN)
        go_on(client)
        return wire.answer(received)


@pytest.fixture(scope="module")
def answers(lab: Lab) -> Mapping[tuple[str, str], Future[Answer]]:
    """All services are asked at once, as each takes its time."""
    with ThreadPoolExecutor(len(lab.services) * len(MANNERS)) as clients:
        return {
            (name, manner): clients.submit(answer, service, go_on)
            for name, service in lab.services.items()
            for manner, go_on in MANNERS.items()
        }


@pytest.mark.parametrize("manner", MANNERS)
def test_a_body_that_is_never_whole_is_the_clients_fault(
    service: Service, manner: str, answers: Mapping[tuple[str, str], Future[Answer]]
) -> None:
    found = answers[service.name, manner].result()
    assert found is not None
    status, document = found
    assert status == 400
    assert document["error"]["code"] == "malformed"
