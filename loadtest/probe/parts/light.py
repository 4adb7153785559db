"""A light request beside a full endpoint: how long it waits, alone and meanwhile."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from loadtest.model.target import Target
from loadtest.probe import slots
from loadtest.probe.limits import most_in_time
from loadtest.probe.moments import Asker, Asking
from loadtest.probe.record import Beside, Sighting, Step
from loadtest.system.sockets import Address

BESIDE_S, BESIDE_WAITS = 2.0, 4
SHORTEST_BESIDE_S = 0.5  # less of it tells nothing
ALONE_ANSWERS = 20


class Meanwhile(NamedTuple):
    """Seconds that light requests took, that those without an answer have waited; failed ones."""

    took: list[float]
    waiting: list[float]
    failed: int


def needs_s(alone: Step) -> float:
    """Seconds that it takes at least: the endpoint has to become full, and to answer once more."""
    return 2 * (SHORTEST_BESIDE_S + alone.mean_s)


def beside(
    asker: Asker, url: str, light: Asking, full: tuple[Target, Address], seen: Sighting
) -> Beside | None:
    """One light request to `url` after the other: alone, then while the probed endpoint is full.

    One of the connections is the light request's. None where no time or request was left for that.
    """
    allowance = asker.allowance
    count = min(allowance.connections - 1, _fill(seen, allowance.timeout_s))
    lasts_s = min(max(BESIDE_S, BESIDE_WAITS * seen.alone.mean_s), allowance.left_s / 2)
    asker.open(light, 1)
    asker.wait_for(light, ALONE_ANSWERS, min(1.0, lasts_s))
    alone = light.took()
    with asker.asking(*full) as heavy:
        asker.open(heavy, count)
        asker.run(lambda: asker.engine.opened > count, lasts_s)
        asker.run(lambda: False, seen.alone.mean_s)
        found = _meanwhile(asker, light, lasts_s)
        asker.drain(heavy, lasts_s)
    if found is None:
        return None
    waited = _waited(found.took, found.waiting)
    return Beside(
        url=url,
        connections=count,
        alone_s=statistics.median(alone) if alone else 0.0,
        p50_s=statistics.median(waited) if waited else 0.0,
        longest_s=max(waited, default=0.0),
        answered=len(found.took),
        failed=found.failed,
    )


def _fill(seen: Sighting, timeout_s: float) -> int:
    """How many requests at once fill the endpoint, and still have their answers in time."""
    held = slots.slots(seen).value
    in_time = most_in_time(held / seen.alone.mean_s, timeout_s)
    return min(2 * held + 2, max(held + 1, in_time))


def _meanwhile(asker: Asker, light: Asking, lasts_s: float) -> Meanwhile | None:
    """What light requests take from now on; None where none can be, or was, sent for that."""
    allowance, begun = asker.allowance, len(light.moments)
    if allowance.used_up or allowance.left_s < SHORTEST_BESIDE_S:
        return None
    asker.run(lambda: False, lasts_s)
    asker.run(lambda: len(light.moments) > begun, min(lasts_s, allowance.left_s / 2))
    waiting = [asker.engine.now() - each for each in light.begun_in_hand()]
    failed = sum(bool(each.error) for each in light.moments[begun:])
    found = Meanwhile(light.took(begun), waiting, failed)
    return found if any(found) else None


def _waited(ended: list[float], waiting: list[float]) -> list[float]:
    """And of one that has waited longer than any other, though its end is not known."""
    longest_s = max(ended, default=0.0)
    return [*ended, *(each for each in waiting if each > longest_s)]
