"""Requests that begin together: how many of them end together is how many are worked on at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count as counting
from typing import NamedTuple

from loadtest.probe import growth, slots
from loadtest.probe.moments import Asker, Asking
from loadtest.probe.parts.ramp import failing
from loadtest.probe.parts.witness import Witness
from loadtest.probe.processes import Probed
from loadtest.probe.record import Step, Wave

GROUPS, WAVES_A_GROUP = 3, 2  # other connections fall to other workers
MOST_GROUPS = 8  # where a busy machine has blurred the first
ROLLED_AGAIN = 6  # waves at most are rolled again because something stopped
LONGEST_WAVES_S, WAITS_FOR_WAVES = 6.0, 25
OF_THE_REST = 0.8  # of the time: so much of it waves may take
FEW_SLOTS = 10
FURTHER = 4  # × the connections of the last step, as a ramp with little time goes on itself


class Expected(NamedTuple):
    """A wave: so many requests, in seconds how long it is likely to last, and what one waits."""

    size: int
    lasts_s: float
    wait_s: float

    @property
    def longest_pause_s(self) -> float:
        """What stops for longer may part answers that belong together, or join others."""
        return slots.TOGETHER * self.wait_s


# A wave; what stopped for so long meanwhile that it may be wrong; whether another is rolled for it.
Tell = Callable[[Wave, str, bool], None]


def bearable(steps: Sequence[Step], limit: int) -> int:
    """How many requests may begin together, by what the ramp saw the service bear.

    After a step that failed no more than those of the last sound one. Where none of them waited
    for another, a wave of them tells nothing more: 0.
    """
    last = growth.sound(steps)[-1]
    if not failing(steps[-1]):
        return min(limit, FURTHER * last.connections)
    wait_s, _ = growth.unhurried(steps)
    return last.connections if last.littles_s >= growth.QUEUES * wait_s else 0


def size(likely: float | None, at_most: int) -> int:
    """How many requests a wave has: two groups and more, where so many slots are likely."""
    if likely is None:
        return at_most
    times = 3 if likely <= FEW_SLOTS else 2
    return min(at_most, round(times * likely) + 2)


def roll(
    asker: Asker,
    probed: Probed,
    expected: Expected,
    tell: Tell,
    more: Callable[[], bool] = lambda: False,
) -> None:
    """Send waves, more of them where something stopped during one, and `tell` of each.

    `more`: whether the waves so far tell too little.
    """
    now, lasts_s, kept, again = asker.engine.now, expected.lasts_s, 0, 0
    longest_s = max(LONGEST_WAVES_S, WAITS_FOR_WAVES * lasts_s / 3)
    ends = now() + min(longest_s, OF_THE_REST * asker.allowance.left_s)
    for number in counting():
        enough = number >= GROUPS and not (again and kept < GROUPS * WAVES_A_GROUP)
        if number >= MOST_GROUPS or (enough and not more()):
            break
        if now() + (WAVES_A_GROUP + 1) * lasts_s > ends or _spent(asker, expected.size):
            break
        for wave, stopped in _group(asker, probed, expected, ends):
            anew = bool(stopped) and again < ROLLED_AGAIN
            again, kept = again + anew, kept + (not anew)
            tell(wave, stopped, anew)
        if asker.behind:
            break


def _group(asker: Asker, probed: Probed, expected: Expected, ends: float) -> list[tuple[Wave, str]]:
    """Waves over the same connections, as far as they end before `ends`; what stopped in each."""
    found: list[tuple[Wave, str]] = []
    with asker.asking(probed.target, probed.address, held=True) as stream:
        asker.open(stream, expected.size)
        goes_on = _over(asker, stream, expected.size, ends)
        while goes_on and len(found) < WAVES_A_GROUP:
            with _witness(asker, probed, expected) as witness:
                wave = _one(asker, stream, expected.size, ends)
            if wave:
                found.append((wave, witness.held_up(expected.longest_pause_s)))
            goes_on = wave is not None
        asker.drain(stream, expected.lasts_s)
    return found


def at_once(asker: Asker, probed: Probed, expected: Expected, tell: Tell, whole_s: float) -> None:
    """One wave over connections that are opened for it, where there is no time for more.

    None, too, where it would not end in time: `whole_s` is what all of it takes at the rate seen.
    """
    at_most_s = OF_THE_REST * asker.allowance.left_s
    if max(whole_s, expected.lasts_s) > at_most_s:
        return
    with asker.asking(probed.target, probed.address, held=True) as stream:
        stream.opening_interval_s = 0.0
        with _witness(asker, probed, expected) as witness:
            asker.open(stream, expected.size)
            _over(asker, stream, expected.size, asker.engine.now() + at_most_s)
            wave = _wave(stream, 0)
        asker.drain(stream, whole_s)
    if wave:
        tell(wave, witness.held_up(expected.longest_pause_s), False)


def _witness(asker: Asker, probed: Probed, expected: Expected) -> Witness:
    return Witness(asker.engine, probed.serving, expected.lasts_s)


def _spent(asker: Asker, count: int) -> bool:
    allowance = asker.allowance
    return allowance.sent + count * (WAVES_A_GROUP + 1) > allowance.requests


def _over(asker: Asker, stream: Asking, count: int, ends: float) -> bool:
    """Whether everybody has an answer, before `ends`."""
    left_s = max(0.0, ends - asker.engine.now())
    return asker.run(lambda: len(stream.waiting) >= count, left_s)


def _one(asker: Asker, stream: Asking, count: int, ends: float) -> Wave | None:
    begun = len(stream.moments)
    stream.let_go()
    return _wave(stream, begun) if _over(asker, stream, count, ends) else None


def _wave(stream: Asking, begun: int) -> Wave | None:
    moments = stream.moments[begun:]
    if not moments:
        return None
    began = min(each.begun for each in moments)
    took = tuple(sorted(each.ended - began for each in moments if not each.error))
    errors = Counter(each.error for each in moments if each.error)
    return Wave(took, errors.total(), max(errors, key=errors.__getitem__, default=""))
