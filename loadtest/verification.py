"""Is a row what it says it is? Asked before it is timed: a row that fails never is."""

from __future__ import annotations

from dataclasses import dataclass

from loadtest.measurement import House, about


@dataclass(frozen=True)
class Verified:
    """What is wrong with a row (it must not be timed), and what is only worth knowing."""

    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def verify(house: House, name: str) -> Verified:
    """Check the row's answers against the contract, and its slots against what it declares."""
    return Verified(tuple(_identity(house, name)))


def _identity(house: House, name: str) -> list[str]:
    row = house.rows[name]
    said = about(row, house.backend)
    return [
        f"/about says {key} {said[key]!r}, docker-compose.yml says {declared!r}"
        for key, declared in (("service", name), ("model", row.model))
        if said[key] != declared
    ]
