"""SIGTERM: no new requests, what is in hand is finished, exit code 0."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

import psycopg
import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request

from loadtest.backends.native import Lab
from loadtest.contract.conformance import Client
from loadtest.inventory.manifest import Service
from loadtest.run import sampler
from tests.conformance.conftest import Start, another
from tests.conformance.test_outage import status
from tests.waiting import eventually

HALF = (
    b"POST /orders HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\n"
    b'Content-Length: 100\r\n\r\n{"customer'
)
GRACE_S = 40  # the 25 s that services/README.md states, on a machine that may be slow
WAITS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = %s AND state = 'active' AND wait_event_type = 'Lock'
"""


def accepts(service: Service) -> bool:
    """Whether anybody listens on the service's port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", service.port)) == 0


def test_service_finishes_what_is_in_hand(service: Service, lab: Lab, start: Start) -> None:
    name = f"{service.name}-stopping"
    with (
        start(service, {"SERVICE_NAME": name}) as (own, process),
        psycopg.connect(lab.database.full_url, autocommit=True) as database,
        ThreadPoolExecutor() as background,
        Client(own.url()) as client,
        ExitStack() as idle,
    ):
        assert eventually(partial(ready, own))
        idle.enter_context(kept(own))
        if json.loads(client.send("GET", "/about").body)["websocket"]:
            idle.enter_context(websocket(own))
        with psycopg.connect(lab.database.full_url) as holder:
            holder.execute("LOCK TABLE items IN ACCESS EXCLUSIVE MODE")
            answer = background.submit(client.send, "GET", "/items/1")
            assert eventually(lambda: waiting(database, name))
            process.terminate()
            # A worker that has a request in hand may keep the port open until that is answered.
            eventually(lambda: not accepts(own), 1.5)
        assert eventually(lambda: not accepts(own))
        assert answer.result(20).status == 200
        assert process.wait(25) == 0


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


@pytest.fixture(scope="module")
def left_waiting(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, int | None]:
    """Exit codes of services that were stopped while a client owed them half a body; None of one
    that did not end.

    Each takes its time, and meanwhile the next one starts. Not all of them end in one moment.
    """
    folder = tmp_path_factory.mktemp("stopping")
    with ExitStack() as stack, ThreadPoolExecutor(len(lab.services)) as waiting:
        ending: dict[str, Future[int | None]] = {}
        for service in lab.services.values():
            log = folder / f"{service.name}.log"
            own, process = stack.enter_context(another(lab, service, {"POOL_SIZE": "2"}, log))
            assert eventually(partial(ready, own)), own.name
            client = stack.enter_context(socket.create_connection(("127.0.0.1", own.port), 20))
            client.sendall(HALF)
            assert eventually(partial(busy, own))
            process.terminate()
            ending[own.name] = waiting.submit(ended, process)
        return {name: code.result() for name, code in ending.items()}


def ended(process: subprocess.Popen[bytes]) -> int | None:
    with suppress(subprocess.TimeoutExpired):
        return process.wait(GRACE_S)
    return None


def ready(service: Service) -> bool:
    return status(service, "/readyz") == 200


def busy(service: Service) -> bool:
    """Whether the service has the request in hand."""
    return sampler.scrape(service.metrics_url(), timeout_s=20)["http_server_active_requests"] == 1


def test_half_a_request_does_not_keep_a_service_from_stopping(
    service: Service, left_waiting: Mapping[str, int | None]
) -> None:
    assert left_waiting[service.name] == 0


def waiting(database: psycopg.Connection, name: str) -> bool:
    """Whether a request of the service waits inside Postgres."""
    found = database.execute(WAITS, [name]).fetchone()
    return found is not None and found[0] > 0
