"""asyncpg's pool for event loops that last no longer than a request.

A pool belongs to the loop that opened it. So it has a loop of its own, in a thread that lasts as
long as the worker, and other loops await what is done there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from threading import Thread
from typing import Any, TypeVar

from lab.contract import orders
from lab.metrics.meters import Metrics
from lab.postgres.evented import Evented, Row
from lab.settings import Settings

_Result = TypeVar("_Result")


class Looped:
    """Postgres for code that awaits, on whichever event loop."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._loop = asyncio.new_event_loop()
        self._evented = Evented(settings, metrics)
        Thread(target=self._loop.run_forever, name="lab-postgres", daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._evented.__aenter__(), self._loop).result()

    async def row(self, statement: str, *arguments: object) -> Row | None:
        """The first row of a query, None where there is none."""
        return await self._there(self._evented.row(statement, *arguments))

    async def rows(self, statement: str, *arguments: object) -> list[Row]:
        """All rows of a query."""
        return await self._there(self._evented.rows(statement, *arguments))

    async def order(self, order: orders.Order) -> Row:
        """Price and insert an order in one transaction; a 422 Fault where nothing was written."""
        return await self._there(self._evented.order(order))

    async def ready(self) -> None:
        """Raises a 503 Fault where Postgres is out of reach."""
        await self._there(self._evented.ready())

    async def _there(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
