"""Postgres for code that blocks: psycopg and its pool. For event loops: `lab.postgres.evented`.

Both start without Postgres, answer 503 within about two seconds while it is gone, and
find it again by themselves. Statements run in autocommit; only an order opens a transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from lab.contract import errors, orders
from lab.metrics.meters import Metrics
from lab.postgres import pool, queries
from lab.settings import Settings

READY_TIMEOUT_S = 2.0

Row = dict[str, Any]
Connection = psycopg.Connection[Row]


class Threaded:
    """Postgres for code that blocks: threads, processes, greenlets."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._meter = metrics.pool
        self._size, self._used = settings.pool_size, 0
        self._lock = Lock()
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            settings.database_url,
            kwargs=_psycopg_arguments(settings),
            open=False,
            **pool.options(settings.pool_size),
        )
        metrics.watch_pool(lambda: self._pool.get_stats()["pool_size"])
        self._pool.open()

    @contextmanager
    def connection(self, timeout_s: float = pool.ACQUIRE_TIMEOUT_S) -> Iterator[Connection]:
        """A pooled connection; raises a 503 Fault where there is none within `timeout_s` seconds.

        A connection that Postgres drops while in use raises the same Fault.
        """
        since = self._meter.waiting()
        try:
            connection = pool.take(self._pool, timeout_s)
        except (PoolTimeout, PoolClosed, psycopg.OperationalError) as error:
            self._meter.failed()
            raise errors.unavailable(f"no database connection: {error}") from None
        self._meter.taken(since)
        with self._lock:
            self._used += 1
        try:
            yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise errors.unavailable("Postgres closed the connection") from None
        finally:
            with self._lock:
                self._used -= 1
            self._meter.released()
            self._pool.putconn(connection)

    def row(self, query: str, *arguments: object) -> Row | None:
        """The first row of a query, None where there is none."""
        with self.connection() as connection:
            return connection.execute(query, arguments).fetchone()

    def rows(self, query: str, *arguments: object) -> list[Row]:
        """All rows of a query."""
        with self.connection() as connection:
            return connection.execute(query, arguments).fetchall()

    def order(self, order: orders.Order) -> Row:
        """Price and insert an order in one transaction; a 422 Fault where nothing was written."""
        items = [line.item_id for line in order.lines]
        with self.connection() as connection, connection.transaction():
            customer = connection.execute(queries.CUSTOMER, (order.customer_id,)).fetchone()
            found = connection.execute(queries.PRICES, (items,)).fetchall()
            prices = {item["id"]: item["price_cents"] for item in found}
            total = orders.total_cents(order, customer, prices)
            new = connection.execute(queries.NEW_ORDER, (order.customer_id, order.note, total))
            number = new.fetchall()[0]["id"]
            connection.execute(queries.NEW_LINES, (number, *orders.columns(order, prices)))
        return {"id": number, "total_cents": total}

    def ready(self) -> None:
        """Raises a 503 Fault where Postgres is out of reach; a pool in full use is proof enough."""
        if self._used >= self._size:
            return
        with self.connection(READY_TIMEOUT_S) as connection:
            connection.execute(queries.PING)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


def _psycopg_arguments(settings: Settings) -> dict[str, Any]:
    password = {"password": settings.database_password} if settings.database_password else {}
    return {
        "application_name": settings.service_name,
        "connect_timeout": pool.CONNECT_TIMEOUT_S,
        # A server that vanishes without a word is taken for gone after some twenty seconds.
        "keepalives_idle": 5,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        "autocommit": True,
        "row_factory": dict_row,
        "cursor_factory": psycopg.RawCursor,  # speaks $1, as every other driver of the lab
        **password,
    }
