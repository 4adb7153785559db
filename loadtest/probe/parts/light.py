"""A light request beside a full endpoint: how long it waits, alone and meanwhile."""

from __future__ import annotations

import statistics

from loadtest.model.target import Target
from loadtest.probe import slots
from loadtest.probe.moments import Asker, Asking
from loadtest.probe.record import Beside, Sighting
from loadtest.system.sockets import Address

BESIDE_S, BESIDE_WAITS = 2.0, 4
ALONE_ANSWERS = 20
LAST_ANSWERS_S = 10.0


def beside(
    asker: Asker, url: str, light: Asking, full: tuple[Target, Address], seen: Sighting
) -> Beside:
    """One light request to `url` after the other: alone, then while the probed endpoint is full."""
    allowance = asker.allowance
    count = min(allowance.connections, 2 * slots.slots(seen).value + 2)
    lasts_s = min(max(BESIDE_S, BESIDE_WAITS * seen.alone.mean_s), allowance.left_s / 2)
    asker.open(light, 1)
    asker.wait_for(light, ALONE_ANSWERS, min(1.0, lasts_s))
    alone = light.took()
    with asker.asking(*full) as heavy:
        asker.open(heavy, count)
        asker.run(lambda: asker.engine.opened > count, lasts_s)
        asker.run(lambda: False, seen.alone.mean_s)
        begun = len(light.moments)
        asker.run(lambda: False, lasts_s)
        asker.run(lambda: len(light.moments) > begun, min(lasts_s, allowance.left_s / 2))
        while_full = light.took(begun)
        waiting = [asker.engine.now() - each for each in light.begun_in_hand()]
        failed = sum(bool(each.error) for each in light.moments[begun:])
        asker.drain(heavy, min(LAST_ANSWERS_S, max(0.0, allowance.left_s)))
    waited = _waited(while_full, waiting)
    return Beside(
        url=url,
        connections=count,
        alone_s=statistics.median(alone) if alone else 0.0,
        p50_s=statistics.median(waited) if waited else 0.0,
        longest_s=max(waited, default=0.0),
        answered=len(while_full),
        failed=failed,
    )


def _waited(ended: list[float], waiting: list[float]) -> list[float]:
    """And of one that has waited longer than any other, though its end is not known."""
    longest_s = max(ended, default=0.0)
    return [*ended, *(each for each in waiting if each > longest_s)]
