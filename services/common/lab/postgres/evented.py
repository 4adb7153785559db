"""Postgres for event loops: an asyncpg pool under the same rules as `lab.postgres.threaded`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from lab.contract import errors, orders
from lab.metrics.meters import Metrics
from lab.postgres import queries
from lab.settings import Settings

ACQUIRE_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 2.0
READY_TIMEOUT_S = 2.0
SILENCE_S = 20.0  # a server that has said nothing for so long is taken for gone (/wait: 10 s)

_GONE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresConnectionError,
    # The server has said its last word, and asyncpg has not yet seen that it hung up.
    asyncpg.InternalClientError,
)

Row = dict[str, Any]


class Evented:
    """Postgres for code that awaits. Use as `async with` around the life of the application."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings, self._meter = settings, metrics.loop_pool
        self._used = 0
        self._pool: asyncpg.Pool[asyncpg.Record]
        self._watch_pool = metrics.watch_pool

    async def __aenter__(self) -> Evented:
        settings = self._settings
        self._pool = await asyncpg.create_pool(
            settings.database_url,
            password=settings.database_password,
            server_settings={"application_name": settings.service_name},
            min_size=0,  # so that the service starts without Postgres
            max_size=settings.pool_size,
            max_inactive_connection_lifetime=0,
            max_queries=1 << 40,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=SILENCE_S,
            reset=_keep,
        )
        self._watch_pool(self._pool.get_size)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pool.terminate()

    @asynccontextmanager
    async def connection(
        self, timeout_s: float = ACQUIRE_TIMEOUT_S
    ) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy[asyncpg.Record]]:
        """A pooled connection; raises a 503 Fault where there is none within `timeout_s` seconds.

        A connection that Postgres drops while in use raises the same Fault.
        """
        since = self._meter.waiting()
        try:
            async with asyncio.timeout(timeout_s):
                connection = await self._pool.acquire()
        except (TimeoutError, *_GONE) as error:
            self._meter.failed()
            reason = str(error) or type(error).__name__
            raise errors.unavailable(f"no database connection: {reason}") from None
        except BaseException:
            self._meter.failed()
            raise
        self._meter.taken(since)
        self._used += 1
        try:
            yield connection
        except _GONE:
            raise errors.unavailable("Postgres closed the connection") from None
        finally:
            self._used -= 1
            self._meter.released()
            await self._pool.release(connection)

    async def row(self, query: str, *arguments: object) -> Row | None:
        """The first row of a query, None where there is none."""
        async with self.connection() as connection:
            record = await connection.fetchrow(query, *arguments)
        return dict(record) if record else None

    async def rows(self, query: str, *arguments: object) -> list[Row]:
        """All rows of a query."""
        async with self.connection() as connection:
            return [dict(record) for record in await connection.fetch(query, *arguments)]

    async def order(self, order: orders.Order) -> Row:
        """Price and insert an order in one transaction; a 422 Fault where nothing was written."""
        items = [line.item_id for line in order.lines]
        async with self.connection() as connection, connection.transaction():
            customer = await connection.fetchval(queries.CUSTOMER, order.customer_id)
            found = await connection.fetch(queries.PRICES, items)
            prices = {item["id"]: item["price_cents"] for item in found}
            total = orders.total_cents(order, customer, prices)
            number = await connection.fetchval(
                queries.NEW_ORDER, order.customer_id, order.note, total
            )
            columns = orders.columns(order, prices)
            await connection.execute(queries.NEW_LINES, number, *columns)
        return {"id": number, "total_cents": total}

    async def ready(self) -> None:
        """Raises a 503 Fault where Postgres is out of reach; a pool in full use is proof enough."""
        if self._used >= self._settings.pool_size:
            return
        async with self.connection(READY_TIMEOUT_S) as connection:
            await connection.fetchval(queries.PING)


async def _keep(_: object) -> None:
    """No statement here changes a session, so nothing needs a reset (a round trip a request)."""
