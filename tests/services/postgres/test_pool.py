"""A pool that notices Postgres leaving and coming back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool, PoolTimeout

from lab.postgres import pool
from loadtest.backends.native import Lab
from tests.conformance.network import Relay
from tests.waiting import eventually

LONG_S = 30.0


@pytest.fixture
def relay(lab: Lab) -> Iterator[Relay]:
    with Relay(lab.database.port) as between:
        between.connect()
        yield between


@pytest.fixture
def connections(lab: Lab, relay: Relay) -> Iterator[ConnectionPool[psycopg.Connection[Any]]]:
    address = psycopg.conninfo.make_conninfo(lab.database_url, host="127.0.0.1", port=relay.port)
    arguments = {"connect_timeout": pool.CONNECT_TIMEOUT_S, "autocommit": True}
    with ConnectionPool(address, kwargs=arguments, open=False, **pool.options(2)) as connections:
        connections.wait()
        yield connections


def answers(connections: ConnectionPool[psycopg.Connection[Any]]) -> bool:
    """Whether a query through the pool is answered now."""
    try:
        connection = pool.take(connections, LONG_S)
    except psycopg.OperationalError:
        return False
    try:
        return connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        connections.putconn(connection)


def test_connections_that_died_while_idle_are_never_handed_out(
    connections: ConnectionPool[psycopg.Connection[Any]], relay: Relay
) -> None:
    relay.cut()
    relay.connect()
    assert answers(connections)
    assert answers(connections)


def test_those_who_wait_are_told_that_postgres_is_away(
    connections: ConnectionPool[psycopg.Connection[Any]], relay: Relay
) -> None:
    relay.cut()
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(pool.take, connections, LONG_S) for _ in range(4)]
        reasons = [type(one.exception(LONG_S / 2)) for one in waiting]
    assert reasons == [psycopg.OperationalError] * 4
    relay.connect()
    assert eventually(lambda: answers(connections))


def test_those_who_wait_for_a_busy_pool_go_on_waiting(
    connections: ConnectionPool[psycopg.Connection[Any]], relay: Relay
) -> None:
    busy = [pool.take(connections, LONG_S) for _ in range(2)]
    relay.cut()
    relay.connect()
    with pytest.raises(PoolTimeout):
        pool.take(connections, 0.2)
    for connection in busy:
        connections.putconn(connection)
    assert answers(connections)
