"""Is a row what it says it is? Asked before it is timed: a row that fails never is."""

from __future__ import annotations

from dataclasses import dataclass

from loadtest import conformance
from loadtest.measurement import House


@dataclass(frozen=True)
class Verified:
    """What is wrong with a row (it must not be timed), and what is only worth knowing."""

    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def verify(house: House, name: str) -> Verified:
    """Check the row's answers against the contract, and its slots against what it declares."""
    row = house.rows[name]
    said = {"service": name, "framework": row.framework, "model": row.model}
    return Verified(tuple(conformance.check(row.url(house.backend), said)))
