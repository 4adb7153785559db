"""A server whose processes ended while it was probed: what is not known of it then. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loadtest.model.counts import number_of
from loadtest.probe import slots as how_many
from loadtest.probe.conclusion.binding import WITHIN
from loadtest.probe.conclusion.limit import full
from loadtest.probe.record import Binding, Sighting

FULL = ("one full core", "cpu")  # either says that it may be the CPU


def in_sight(seen: Sighting) -> Sighting:
    """Without the server where its processes ended in each step at the limit.

    Its CPU and threads are not known then. Facts from before the load would stand for them.
    """
    at = full(seen, how_many.slots(seen))
    unknown = seen.processes_ended and at is not None and at.server is None
    return replace(seen, server=None) if unknown else seen


def doubted(found: Binding) -> Binding:
    """What binds, where the CPU is not known: it looks like slots, as each worker has a core."""
    if found.name not in WITHIN or set(FULL) & set(found.could_be):
        return found
    return replace(found, could_be=(*found.could_be, "cpu"))


def told(seen: Sighting) -> Iterator[str]:
    """That some ended though the service lives, and what is not known for that."""
    if not seen.processes_ended or seen.died:
        return
    count = number_of(seen.processes_ended, "process")
    yield (
        f"At least {count} of the server ended while it was probed: it starts workers anew, or "
        "they fail." + " So its CPU and its threads are not known." * (in_sight(seen) is not seen)
    )
