"""JSON nested too deep: the client's fault, and no worker dies of it."""

from __future__ import annotations

import pytest

from loadtest.contract.body_cases import BODY_LIMIT
from loadtest.inventory.manifest import Service
from loadtest.run.sampler import scrape
from tests.conformance.clients import wire
from tests.conformance.conftest import APPLICATIONS

DEEPEST = 10_000  # that a service may read, as the contract has it
DEPTHS = (DEEPEST, DEEPEST + 1, 2 * DEEPEST, BODY_LIMIT // 2)


def shapes(depth: int) -> dict[str, bytes]:
    """Bodies of that depth."""
    lists = b"[" * depth + b"]" * depth
    return {
        "lists": lists,
        "open lists": b"[" * depth,
        "objects": b'{"a":' * depth + b"1" + b"}" * depth,
        "a part of an order": b'{"customer_id": 1, "note": ' + lists[1:-1] + b"}",
        # A number that fits nowhere: some parsers begin anew then, in another way.
        "lists after a number": b"[1e400," + lists[1:],
    }


BODIES = {
    (depth, shape): body
    for depth in DEPTHS
    for shape, body in shapes(depth).items()
    if len(body) <= BODY_LIMIT
}


@pytest.mark.parametrize("service", APPLICATIONS, indirect=True)
@pytest.mark.parametrize("target", ["/orders", "/session"])
def test_what_is_nested_too_deep_is_the_clients_fault(service: Service, target: str) -> None:
    ended = scrape(service.metrics_url(), wire.TIMEOUT_S)["lab_workers_ended_total"]
    for (depth, shape), body in BODIES.items():
        answer = wire.ask(service, wire.post(target, body))
        assert answer is not None, (depth, shape)
        seen = answer[0], answer[1]["error"]["code"]
        allowed = {(400, "malformed")}
        if depth == DEEPEST and shape != "open lists":
            allowed.add((422, "invalid"))
        assert seen in allowed, (depth, shape)
    assert wire.ask(service, wire.head("GET", "/json")) == (200, {"message": "Hello, World!"})
    assert scrape(service.metrics_url(), wire.TIMEOUT_S)["lab_workers_ended_total"] == ended
