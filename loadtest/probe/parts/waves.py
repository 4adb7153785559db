"""Requests that begin together: how many of them end together is how many are worked on at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import count as counting

from loadtest.model.target import Target
from loadtest.probe.moments import Asker, Asking
from loadtest.probe.record import Wave
from loadtest.system.sockets import Address

GROUPS, WAVES_A_GROUP = 3, 2  # other connections fall to other workers
MOST_GROUPS = 8  # where a busy machine has blurred the first
LONGEST_WAVES_S, WAITS_FOR_WAVES = 6.0, 25
FEW_SLOTS = 10


def size(likely: float | None, limit: int) -> int:
    """How many requests a wave has: two groups and more, where so many slots are likely."""
    if likely is None:
        return limit
    times = 3 if likely <= FEW_SLOTS else 2
    return max(2, min(limit, round(times * likely) + 2))


def roll(
    asker: Asker,
    target: Target,
    address: Address,
    count: int,
    lasts_s: float,
    tell: Callable[[Wave], None],
    more: Callable[[], bool] = lambda: False,
) -> None:
    """Send waves of `count` requests; one of them is likely to last for `lasts_s`.

    `more`: whether the waves so far tell too little.
    """
    allowance, now = asker.allowance, asker.engine.now
    ends = now() + min(max(LONGEST_WAVES_S, WAITS_FOR_WAVES * lasts_s / 3), 0.8 * allowance.left_s)
    for number in counting():
        if number >= GROUPS and (number >= MOST_GROUPS or not more()):
            break
        if now() + (WAVES_A_GROUP + 1) * lasts_s > ends or _spent(asker, count):
            break
        with asker.asking(target, address, held=True) as stream:
            asker.open(stream, count)
            if not _over(asker, stream, count, ends):
                break
            for _ in range(WAVES_A_GROUP):
                if wave := _one(asker, stream, count, ends):
                    tell(wave)


def at_once(
    asker: Asker, target: Target, address: Address, count: int, at_most_s: float
) -> Wave | None:
    """One wave over connections that are opened for it, where there is no time for more."""
    with asker.asking(target, address, held=True) as stream:
        stream.opening_interval_s = 0.0
        asker.open(stream, count)
        _over(asker, stream, count, asker.engine.now() + at_most_s)
        return _wave(stream, 0)


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
