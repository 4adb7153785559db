"""Requests written at once on one connection: each gets its own answer, in their order."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from loadtest.inventory.manifest import Service
from tests.conformance.clients import wire
from tests.conformance.conftest import WITHOUT_KEEP_ALIVE, written

# A request, the status of its answer, and what tells its document from the others.
Exchange = tuple[bytes, int, dict[str, Any]]
ITEM: Exchange = (wire.head("GET", "/items/7"), 200, {"id": 7})
GREETING: Exchange = (wire.head("GET", "/json"), 200, {"message": "Hello, World!"})
NO_ITEM: Exchange = (wire.head("GET", "/items/10001"), 404, {})
SLOW: Exchange = (wire.head("GET", "/wait?ms=200"), 200, {"ms": 200})
ORDER: Exchange = (wire.post("/orders", wire.ORDER), 201, {})
# A service that lost track of this body would take it for a request.
REFUSED: Exchange = (wire.post("/orders", wire.head("GET", "/json"), "text/plain"), 415, {})

PIPELINES = {
    "reads": [ITEM, NO_ITEM, GREETING],
    "a slow one first": [SLOW, ITEM, GREETING],
    "an order first": [ORDER, ITEM],
    "an order between reads": [GREETING, ORDER, ITEM],
    "a refused body first": [REFUSED, ITEM],
}


@pytest.mark.parametrize("title", PIPELINES)
def test_each_request_gets_its_own_answer(
    service: Service, title: str, database: psycopg.Connection
) -> None:
    exchanges, orders = PIPELINES[title], written(database)[0]
    answered = exchanges[:1] if service.name in WITHOUT_KEEP_ALIVE else exchanges
    with wire.connect(service) as client, client.makefile("rb") as received:
        client.sendall(b"".join(request for request, _, _ in exchanges))
        found = [wire.answer(received) for _ in answered]
        assert len(answered) == len(exchanges) or wire.answer(received) is None
    for answer, (_, status, part) in zip(found, answered, strict=True):
        assert answer is not None
        assert (answer[0], answer[1] | part) == (status, answer[1])
    assert written(database)[0] == orders + answered.count(ORDER)
