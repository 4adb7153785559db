"""Requests that are refused, broken off, or offer what nobody wants leave nothing in memory."""

from __future__ import annotations

import psutil
import pytest

from loadtest.backends.native import Lab
from loadtest.inventory.manifest import Service
from tests.conformance.clients import wire
from tests.conformance.clients.test_departure import taken
from tests.conformance.clients.test_offers import OFFERS, Exchange, exchanged
from tests.conformance.conftest import SERVERS
from tests.waiting import eventually

BLOCK = 200  # of three requests
MOST_BLOCKS = 150  # Python's garbage of FastAPI and Starlette is collected after some 50
LEAK_BYTES = 512  # for three requests; one kind in ten that keeps 6 KB is more
WRONG_BODIES = (b"{", b"[]", b'{"lines": []}', b'{"customer_id": 1, "lines": [{"item_id": "x"}]}')
WRONG_TARGETS = (("GET", "/nope"), ("PUT", "/json"), ("GET", "/items/x"), ("GET", "/wait?ms=-1"))
CUT_OFF = (wire.post("/orders", wire.ORDER)[:-5], wire.head("GET", "/json")[:-9])


def refused(service: Service, count: int) -> None:
    """Ask three times `count` such requests, of every kind in turn, on a connection each."""
    whole = [wire.post("/orders", body) for body in WRONG_BODIES]
    whole += [wire.head(*target) for target in WRONG_TARGETS]
    for place in range(count):
        exchanged(service, [Exchange("GET", "/json", OFFERS[place % len(OFFERS)])])
        sent(service, whole[place % len(whole)])
        sent(service, CUT_OFF[place % len(CUT_OFF)], answered=False)


def sent(service: Service, request: bytes, *, answered: bool = True) -> None:
    """Send it and leave, after the answer where one comes."""
    with wire.connect(service) as client:
        client.sendall(request)
        if answered:
            assert client.recv(65536)


def held_bytes(root: int) -> int:
    """Memory of a process and all below it, what they share counted once."""
    tree = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
    return sum(each.memory_full_info().pss for each in tree)


@pytest.mark.timeout(900)  # for MOST_BLOCKS on a busy machine
@pytest.mark.parametrize("service", SERVERS, indirect=True)
def test_memory_is_flat(service: Service, lab: Lab) -> None:
    """A collector of garbage may let it grow for a while. A leak grows in every block."""
    root = lab.pid(service.name)
    refused(service, BLOCK)
    grown: list[int] = []
    before = held_bytes(root)
    while not grown or (grown[-1] > LEAK_BYTES * BLOCK and len(grown) < MOST_BLOCKS):
        refused(service, BLOCK)
        after = held_bytes(root)
        grown.append(after - before)
        before = after
    assert grown[-1] <= LEAK_BYTES * BLOCK, f"bytes in each block of {3 * BLOCK} requests: {grown}"
    assert eventually(lambda: not taken(service)), taken(service)
