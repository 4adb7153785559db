"""Is a row what it says it is? Asked before it is timed: a row that fails never is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.contract import conformance, slots
from loadtest.contract.slots import SlotError
from loadtest.inventory.manifest import Row


@dataclass(frozen=True)
class Verified:
    """What is wrong with a row (it must not be timed), and what is only worth knowing.

    `seen` is what a burst of requests showed: see `SlotReport.seen`.
    """

    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seen: Mapping[str, Any] = field(default_factory=dict)


def verify(row: Row, backend: str = "native", database_url: str | None = None) -> Verified:
    """Check the row's answers against the contract, then its slots against what it declares.

    Slots are seen in Postgres: without `database_url` they are not looked at.
    """
    said = {"service": row.name, "framework": row.framework, "model": row.model}
    url = row.url(backend)
    failures = conformance.check(url, said, row.leaves_out)
    if failures or database_url is None:
        return Verified(tuple(failures))
    try:
        found = slots.observe(url, row.metrics_url(backend), database_url, row.name)
    except SlotError as error:
        return Verified((str(error),))
    warnings = tuple(f"{row.name}: {each}" for each in found.warnings)
    return Verified(found.failures, warnings, found.seen)
