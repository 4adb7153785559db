"""How many requests at once a service works on, from waves and from the plateau. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from loadtest.probe import growth
from loadtest.probe.growth import Plateau
from loadtest.probe.record import Sighting, Slots, Wave

AGREES = 0.12  # difference between the two ways, as a share
SHORTEST_WAIT_S = 0.004  # below it, requests of one wave do not begin together
OTHER_WAIT = 2  # × : a wave whose first answer takes so much longer is held up by something else
UNEVEN = 1.6  # × the slots in use, so many there may be; twice as many are two groups in one
ONE_GROUP = 1.7  # × the wait: the last answer of a wave that had no second group
AT_ONCE = 1.15  # × the wait: later answers may be of a second group
TOGETHER, APART = 0.4, 0.45  # × the quickest answer
# The same where other programs make answers late: then the gap is far wider than those before it.
BLURRED, CLEAR, WIDER = 0.7, 0.25, 3
FEWEST_BLURRED = 3  # answers of such a group, and waves that agree on it
STEADY_WAIT = 1.2  # × the quickest: half of the requests alone took no longer
SMALLEST_ERROR = 0.02  # of the product of a rate and a wait, whatever its parts say


def slots(seen: Sighting) -> Slots:
    """The slots of what was seen.

    Where growth ended they are plateau × wait (Little's law). Groups of waves say it exactly, as
    answers that end together were worked on together. Else there are as many at least as were
    worked on without one waiting for another. So many there are, too, where waves ended as one
    group that is larger than the plateau allows: then something else keeps the rate down.
    """
    at = growth.plateau(seen.steps)
    wait_s, _ = growth.unhurried(seen.steps)
    if not begin_together(seen):
        seen = replace(seen, waves=())
    whole, cut = _groups(seen.waves, wait_s)
    if at is None:
        return _at_least(seen, wait_s, whole, cut)
    product, error = at.rps * wait_s, uncertainty(seen, at)
    low, high = product * (1 - error), product * (1 + error)
    if len(cut) >= 2 and len(cut) > len(seen.waves) / 2:
        most = _certain(seen.waves, wait_s, product) or _agreed(cut, product)
        if abs(most - product) <= max(0.6, AGREES * product):
            return Slots(most, min(most, max(1, math.ceil(low))), most, waves=True)
        if product < most <= UNEVEN * product:
            return Slots(most, max(1, math.floor(low)), most, waves=True)
    if late := _blurred(seen, wait_s, low, high):
        return Slots(late, max(1, min(late, math.floor(low))), late, waves=True)
    if len(whole) >= 2 and len(whole) > len(seen.waves) / 2 and min(whole) > high:
        return Slots(min(whole), min(whole), max(whole), at_least=True, waves=True)
    value = max(1, round(product))
    return Slots(value, max(1, min(value, math.ceil(low))), max(value, math.floor(high)))


def uncertainty(seen: Sighting, at: Plateau) -> float:
    """How far plateau × wait may be from the slots by chance, as a share."""
    _, wait_error = growth.unhurried(seen.steps)
    return max(SMALLEST_ERROR, math.hypot(at.error, wait_error)) * growth.SIGMAS


def begin_together(seen: Sighting) -> bool:
    """Whether requests take so long that those of a wave begin together, by the quickest of all."""
    wait_s, _ = growth.unhurried(seen.steps)
    return min(wait_s, seen.alone.least_s or wait_s) >= SHORTEST_WAIT_S


def _certain(found: Sequence[Wave], wait_s: float, product: float) -> int | None:
    """The largest group that was seen twice to end at one moment, as early as a request can.

    So many were worked on at once, however unevenly workers share connections. No stall made one
    group of two then: the second takes another wait.
    """
    sizes = Counter(
        size
        for wave in found
        if (size := group(wave, wait_s)) and wave.took_s[size - 1] <= AT_ONCE * wait_s
    )
    twice = [each for each in sizes if sizes[each] > 1 and product < each <= UNEVEN * product]
    return max(twice, default=None)


def _agreed(cut: Sequence[int], product: float) -> int:
    """The size of groups that the plateau speaks for, of those that were seen more than once.

    Uneven workers make a group smaller, and an answer that is late may make one larger.
    """
    often = [each for each in cut if cut.count(each) > 1] or cut
    return min(often, key=lambda each: (abs(each - product), -each))


def _blurred(seen: Sighting, wait_s: float, low: float, high: float) -> int | None:
    """The size of groups on a machine that others fill, where half of the waves agree on it.

    `low`, `high`: the slots that the rate allows for. It falls short of them there. Answers that
    vary by themselves tell no groups.
    """
    alone = seen.alone
    steady = 0 < alone.p50_s <= STEADY_WAIT * alone.least_s
    if not steady or not growth.others_crowd(seen.steps, seen.cores):
        return None
    sizes = Counter(size for wave in seen.waves if (size := blurred_group(wave, wait_s)))
    most = max(sizes, key=lambda each: (sizes[each], each), default=0)
    like = sum(sizes[each] for each in sizes if abs(each - most) <= AGREES * most)
    often = like >= max(FEWEST_BLURRED, len(seen.waves) / 2) and sizes[most] > 1
    likely = (1 - AGREES) * low <= most <= UNEVEN * high
    return most if often and likely else None


def _groups(found: Sequence[Wave], wait_s: float) -> tuple[list[int], list[int]]:
    """Sizes of waves that ended as one group; of the first groups of those that did not."""
    whole: list[int] = []
    cut: list[int] = []
    for wave in found:
        size = group(wave, wait_s)
        if size is None:
            continue
        if size < len(wave.took_s):
            cut.append(size)
        elif wave.took_s[-1] < ONE_GROUP * wait_s:
            whole.append(size)
    return whole, cut


def _at_least(seen: Sighting, wait_s: float, whole: Sequence[int], cut: Sequence[int]) -> Slots:
    if len(cut) >= 2 and not whole and max(cut) < UNEVEN * min(cut):
        most = max(cut, key=lambda each: (cut.count(each), each))
        return Slots(most, min(cut), max(cut), waves=True)
    known = growth.sound(seen.steps)
    if growth.others_crowd(known, seen.cores):  # most answers wait for a core, too
        wait_s = min((each.least_s for each in known if each.least_s), default=wait_s)
    kept = max((each.rps * wait_s for each in known), default=1.0)
    value = max(1, round(kept), *whole, 1)
    return Slots(value, value, value, at_least=True, waves=bool(whole))


def likely(at: Plateau | None, wait_s: float) -> float | None:
    """The slots as the ramp alone tells them; None where they are more than it tried."""
    return max(1.0, at.rps * wait_s) if at else None


def group(wave: Wave, wait_s: float) -> int | None:
    """How many of a wave ended together, first of all; None where no group stands out.

    All of them, where there is but one group: the service works on so many at least. Answers
    within `TOGETHER` of the quickest are one group if the next comes `APART` from them.
    """
    took = wave.took_s
    if not _begins_well(took, wait_s):
        return None
    scale = took[0]
    for number, (one, other) in enumerate(zip(took, (*took[1:], math.inf), strict=True), start=1):
        if one - took[0] > TOGETHER * scale:
            return None
        if other - one >= APART * scale:
            return number
    return None


def blurred_group(wave: Wave, wait_s: float) -> int | None:
    """How many of a wave ended before the first gap that is far wider than those before it."""
    took, widest = wave.took_s, 0.0
    if not _begins_well(took, wait_s):
        return None
    scale = took[0]
    for number, (one, other) in enumerate(pairwise(took), start=1):
        if one - scale > BLURRED * scale:
            return None
        gap = other - one
        if number >= FEWEST_BLURRED and gap >= max(CLEAR * scale, WIDER * widest):
            return number
        widest = max(widest, gap)
    return None


def _begins_well(took: Sequence[float], wait_s: float) -> bool:
    """Whether the quickest answer took about what one alone takes."""
    return (
        bool(took) and wait_s >= SHORTEST_WAIT_S and 1 / OTHER_WAIT < took[0] / wait_s < OTHER_WAIT
    )
