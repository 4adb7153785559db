"""Postgres goes and comes back: the service says so at once and recovers by itself."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping

from loadtest.backends.native import Lab
from loadtest.contract.conformance import Client
from loadtest.inventory.manifest import Service
from tests.conformance.conftest import Start
from tests.conformance.network import Relay
from tests.waiting import eventually

ORDER = b'{"customer_id": 1, "lines": [{"item_id": 1, "quantity": 1}]}'
QUICK_S = 5.0
REQUESTS: Mapping[tuple[str, str], bytes | None] = {
    ("GET", "/items/1"): None,
    ("GET", "/items"): None,
    ("GET", "/wait?ms=1"): None,
    ("GET", "/fanout?n=3&ms=1"): None,
    ("POST", "/orders"): ORDER,
    ("GET", "/readyz"): None,
}


def status(service: Service, path: str) -> int:
    """The status of a GET, 0 where nobody answers."""
    try:
        with Client(service.url()) as client:
            return client.send("GET", path).status
    except (OSError, http.client.HTTPException):
        return 0


def test_service_starts_without_its_database_and_outlives_an_outage(
    service: Service, lab: Lab, start: Start
) -> None:
    with Relay(lab.database.port) as relay:
        through = {"DATABASE_URL": f"postgresql://lab@127.0.0.1:{relay.port}/lab"}
        with start(service, through) as (own, _):
            assert eventually(lambda: status(own, "/healthz") == 200)
            assert status(own, "/readyz") == 503
            relay.connect()
            assert_recovers(own)
            relay.cut()
            assert_unavailable(own)
            relay.connect()
            assert_recovers(own)


def assert_recovers(service: Service) -> None:
    """The service finds its database by itself, in every worker."""
    assert eventually(lambda: status(service, "/readyz") == 200)
    assert eventually(lambda: all(status(service, "/items/1") == 200 for _ in range(20)))


def assert_unavailable(service: Service) -> None:
    """Every route that needs the database says 503 in the contract's shape; the others go on."""
    with Client(service.url()) as client:
        for (method, target), body in REQUESTS.items():
            headers = {"Content-Type": "application/json"} if body else {}
            since = time.monotonic()
            answer = client.send(method, target, body, headers)
            assert (answer.status, target) == (503, target)
            assert json.loads(answer.body)["error"]["code"] == "unavailable"
            assert time.monotonic() - since < QUICK_S, target
        assert client.send("GET", "/json").status == 200
        assert client.send("GET", "/healthz").status == 200
