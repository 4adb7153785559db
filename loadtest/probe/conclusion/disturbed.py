"""Which steps were taken again, and which stayed disturbed. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from loadtest.model.counts import were
from loadtest.probe.record import Sighting


def disturbed(seen: Sighting) -> Iterator[str]:
    """A sentence for each of both, where there are any."""
    again = [each.retaken for each in seen.steps if each.retaken]
    doubtful = [each.disturbed for each in seen.steps if each.disturbed]
    if again:
        yield f"{were(len(again), 'step')} taken again: {_names(again)}."
    if doubtful:
        told = f"{were(len(doubtful), 'step')} disturbed by {_names(doubtful)}"
        yield f"{told}: the figures may be wrong."


def _names(found: list[str]) -> str:
    return ", ".join(dict.fromkeys(", ".join(found).split(", ")))
