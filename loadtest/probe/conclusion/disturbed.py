"""What was taken again, and what stayed disturbed. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from loadtest.model.counts import were
from loadtest.probe.record import Disturbance, Part, Sighting

DOUBT: dict[Part, str] = {
    "step": "the figures may be wrong",
    "wave": "the number of slots may be wrong",
    "measurement of the light request": "its waits may be wrong",
    "look at the end": "a change of the service could not be seen",
}


def disturbed(seen: Sighting) -> Iterator[str]:
    """A sentence for each part and each of both, where there are any."""
    found = [*_of_steps(seen), *seen.disturbances]
    for part, doubt in DOUBT.items():
        again, kept = (
            [each.by for each in found if each.part == part and each.again is wanted]
            for wanted in (True, False)
        )
        if again:
            yield f"{were(len(again), part)} taken again: {_names(again)}."
        if kept:
            yield f"{were(len(kept), part)} disturbed by {_names(kept)}: {doubt}."


def _of_steps(seen: Sighting) -> Iterator[Disturbance]:
    for each in seen.steps:
        if each.retaken:
            yield Disturbance("step", each.retaken, again=True)
        if each.disturbed:
            yield Disturbance("step", each.disturbed, again=False)


def _names(found: list[str]) -> str:
    return ", ".join(dict.fromkeys(", ".join(found).split(", ")))
