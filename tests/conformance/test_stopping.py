"""SIGTERM: no new requests, what is in hand is finished, exit code 0."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import psycopg

from loadtest.conformance import Client
from loadtest.manifest import Row
from loadtest.native import Lab
from tests.conformance.conftest import Start
from tests.conformance.test_outage import status
from tests.waiting import eventually

WAITS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND query LIKE %s"


def accepts(row: Row) -> bool:
    """Whether anybody listens on the row's port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", row.port)) == 0


def test_row_finishes_what_is_in_hand(row: Row, lab: Lab, start: Start) -> None:
    name = f"{row.name}-stopping"
    with (
        start(row, {"SERVICE_NAME": name}) as (own, process),
        psycopg.connect(lab.database.full_url, autocommit=True) as database,
        ThreadPoolExecutor() as background,
        Client(own.url()) as client,
    ):
        assert eventually(lambda: status(own, "/readyz") == 200)
        answer = background.submit(client.send, "GET", "/wait?ms=1500")
        assert eventually(lambda: waiting(database, name))
        process.terminate()
        assert eventually(lambda: not accepts(own))
        assert answer.result(20).status == 200
        assert process.wait(25) == 0


def waiting(database: psycopg.Connection, name: str) -> bool:
    """Whether a request of the row sleeps inside Postgres."""
    found = database.execute(WAITS + " AND state = 'active'", [name, "%pg_sleep%"]).fetchone()
    return found is not None and found[0] > 0
