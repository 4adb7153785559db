"""An event loop's Postgres whose connections die: 503 whatever asyncpg calls it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lab.contract.errors import Fault
from lab.contract.orders import NewLine, NewOrder
from lab.metrics import meters
from lab.metrics.meters import Metrics
from lab.postgres import evented, queries
from lab.postgres.evented import Evented
from lab.settings import Settings
from loadtest.backends.native import Lab
from tests.services.postgres.parting import SAID, Partings

ORDER = NewOrder(1, (NewLine(1, 1), NewLine(2, 2)))
OPERATIONS: dict[str, Callable[[Evented], Awaitable[Any]]] = {
    "a row": lambda database: database.row(queries.ITEM, 1),
    "rows": lambda database: database.rows(queries.ITEMS, 3, 0),
    "an order": lambda database: database.order(ORDER),
    "readiness": lambda database: database.ready(),
}


@pytest.fixture(scope="module", autouse=True)
def _patient() -> Iterator[None]:
    """On a busy machine it may take longer to connect than a service waits for that."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CONNECT_TIMEOUT_S", "READY_TIMEOUT_S"):
            patch.setattr(evented, name, 20.0)
        yield


async def nothing() -> None: ...


class Interrupted(Evented):
    """Something happens between the moment that a connection is lent and its first statement."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        super().__init__(settings, metrics)
        self.happen: Callable[[], Awaitable[None]] = nothing

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    @asynccontextmanager
    async def connection(self, timeout_s: float = evented.ACQUIRE_TIMEOUT_S) -> AsyncIterator[Any]:
        async with super().connection(timeout_s) as lent:
            await self.happen()
            yield lent


async def outcome(operation: Awaitable[Any]) -> int:
    """200, or the status of the fault; any other error is raised."""
    try:
        await operation
    except Fault as fault:
        return fault.status
    return 200


@hypothesis_settings(max_examples=60)
@given(
    operation=st.sampled_from(sorted(OPERATIONS)),
    said=st.sampled_from(sorted(SAID)),
    hang_up_s=st.sampled_from([0.0, 0.001, 0.05]),
    turns=st.integers(0, 6),
    lent=st.booleans(),
    used_before=st.booleans(),
)
def test_a_connection_that_dies_is_unavailable_once(
    lab: Lab,
    operation: str,
    said: str,
    hang_up_s: float,
    turns: int,
    lent: bool,
    used_before: bool,
) -> None:
    async def main() -> list[int]:
        async with (
            Partings(lab.database.port) as partings,
            Interrupted(through(lab, partings), meters.NoMetrics()) as database,
        ):
            ask = OPERATIONS[operation]
            await (ask(database) if used_before else database.ready())

            async def part() -> None:
                database.happen = nothing
                await partings.part(said, hang_up_s)
                for _ in range(turns):  # of the event loop, which may have read it by then or not
                    await asyncio.sleep(0)

            if lent:
                database.happen = part
            else:
                await part()
            return [await asyncio.wait_for(outcome(ask(database)), 10) for _ in range(4)]

    found = asyncio.run(main())
    assert sorted(found) in ([200, 200, 200, 200], [200, 200, 200, 503])


def through(lab: Lab, partings: Partings) -> Settings:
    """The lab's Postgres behind the relay, with one connection for all."""
    url = urlsplit(lab.database_url)
    address = f"postgresql://{url.netloc.rpartition('@')[0]}@127.0.0.1:{partings.port}{url.path}"
    return Settings("test", address, pool_size=1)
