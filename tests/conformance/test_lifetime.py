"""From start to stop: without a database, with it, without it again, and to a clean end at SIGTERM:
no new requests, what is in hand is finished, exit code 0.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import psycopg
import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request

from loadtest.backends.native import Lab
from loadtest.contract.conformance import Client
from loadtest.inventory.manifest import Service
from tests.conformance.conftest import NAMES, another, declared, ready, status
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
WAITS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = %s AND state = 'active' AND wait_event_type = 'Lock'
"""


@dataclass(frozen=True)
class Life:
    """One more of a service, with a way to Postgres of its own, which was cut at its start."""

    service: Service
    process: subprocess.Popen[bytes]
    relay: Relay
    name: str  # by which Postgres knows it


@pytest.fixture(scope="module", params=NAMES)
def life(
    request: pytest.FixtureRequest, lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Life]:
    name, log = f"{request.param}-mortal", tmp_path_factory.mktemp("life") / "log"
    with Relay(lab.database.port) as relay:
        through = f"postgresql://lab@127.0.0.1:{relay.port}/lab"
        variables = {"SERVICE_NAME": name, "DATABASE_URL": through}
        with another(lab, declared(lab, request.param), variables, log) as (service, process):
            yield Life(service, process, relay, name)


def test_service_starts_without_its_database_and_outlives_an_outage(life: Life) -> None:
    assert eventually(lambda: status(life.service, "/healthz") == 200)
    assert status(life.service, "/readyz") == 503
    life.relay.connect()
    assert_recovers(life.service)
    life.relay.cut()
    assert_unavailable(life.service)
    life.relay.connect()
    assert_recovers(life.service)


def assert_recovers(service: Service) -> None:
    """The service finds its database by itself, in every worker."""
    assert eventually(partial(ready, service))
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


def accepts(service: Service) -> bool:
    """Whether anybody listens on the service's port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", service.port)) == 0


def test_service_finishes_what_is_in_hand(
    life: Life, lab: Lab, database: psycopg.Connection
) -> None:
    own = life.service
    life.relay.connect()
    assert eventually(partial(ready, own))
    with ThreadPoolExecutor() as background, Client(own.url()) as client, ExitStack() as idle:
        idle.enter_context(kept(own))
        if json.loads(client.send("GET", "/about").body)["websocket"]:
            idle.enter_context(websocket(own))
        with psycopg.connect(lab.database.full_url) as holder:
            holder.execute("LOCK TABLE items IN ACCESS EXCLUSIVE MODE")
            answer = background.submit(client.send, "GET", "/items/1")
            assert eventually(lambda: waiting(database, life.name))
            life.process.terminate()
            # A worker that has a request in hand may keep the port open until that is answered.
            eventually(lambda: not accepts(own), 1.5)
        assert eventually(lambda: not accepts(own))
        assert answer.result(20).status == 200
        assert life.process.wait(25) == 0


@contextmanager
def kept(service: Service) -> Iterator[None]:
    """A connection that has had its answer and stays open."""
    with Client(service.url()) as client:
        assert client.send("GET", "/plaintext").status == 200
        yield


@contextmanager
def websocket(service: Service) -> Iterator[None]:
    """A WebSocket on which nobody says anything."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        protocol = WSConnection(ConnectionType.CLIENT)
        connection.sendall(protocol.send(Request(host="lab", target="/ws")))
        protocol.receive_data(connection.recv(4096))
        assert isinstance(next(protocol.events()), AcceptConnection)
        yield


def waiting(database: psycopg.Connection, name: str) -> bool:
    """Whether a request of the service waits inside Postgres."""
    found = database.execute(WAITS, [name]).fetchone()
    return found is not None and found[0] > 0
