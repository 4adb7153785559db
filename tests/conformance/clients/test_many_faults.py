"""A body with thousands of wrong things costs little, and its answer is short."""

from __future__ import annotations

import json

import pytest

from loadtest.contract.cases import MOST_FIELDS
from loadtest.inventory.manifest import Service
from tests.conformance.clients import wire
from tests.conformance.clients.test_departure import metrics
from tests.conformance.conftest import APPLICATIONS, UNCHECKED

CHECKING = [name for name in APPLICATIONS if name not in UNCHECKED]
TIMES, CPU_S = 5, 0.25  # each; to name every thing beside every other took Go a second
LINE = {"item_id": 1, "quantity": 1}
ORDER = {"customer_id": 1, "lines": [LINE]}
BODIES = {
    "unknown members": ORDER | {f"m{number}": 1 for number in range(10_000)},
    "unknown members of a line": ORDER
    | {"lines": [LINE | {f"m{number}": 1 for number in range(10_000)}]},
    "wrong lines": ORDER | {"lines": [{f"m{number}": 1 for number in range(20)}] * 500},
    "unknown items": ORDER | {"lines": [{"item_id": 2_000_000_000, "quantity": 1}] * 500},
}


def cpu_s(service: Service) -> float:
    return metrics(service)["lab_process_cpu_seconds_total"]


@pytest.mark.parametrize("title", BODIES)
@pytest.mark.parametrize("service", CHECKING, indirect=True)
def test_many_wrong_things_cost_little(service: Service, title: str) -> None:
    request = wire.post("/orders", json.dumps(BODIES[title]).encode())
    before = cpu_s(service)
    for _ in range(TIMES):
        status, document = wire.ask(service, request) or (0, {})
        assert status == 422
        assert len(document["error"]["fields"]) == MOST_FIELDS
    assert cpu_s(service) - before < TIMES * CPU_S
