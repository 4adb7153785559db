"""Percentiles of the last ten seconds, from fine buckets that workers count into.

The standard buckets of Prometheus are too wide for a percentile: what lies between 100 and 250 ms
is guessed. These are 2 % wide, and stay in the service: a scrape shows the quantiles alone.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from operator import sub

WINDOW_S = 10.0
QUANTILES = (0.5, 0.95, 0.99)
_APART_S = 1.0  # between two looks that are kept, however often somebody asks
# Lowest, highest and number of buckets of each part of a decade, all of them 2 % wide. The standard
# bounds 1, 2.5 and 5 are among theirs.
_PARTS = ((1.0, 2.5, 46), (2.5, 5.0, 35), (5.0, 10.0, 35))
_DECADES = range(-5, 2)  # 10 µs to 100 s


def _bounds() -> Iterator[float]:
    for decade in _DECADES:
        for low, high, steps in _PARTS:
            for step in range(steps):
                yield float(f"{low * (high / low) ** (step / steps):.6f}e{decade}")
    yield 100.0


FINE_S = tuple(_bounds())
"""Upper ends of the buckets in seconds; one more bucket takes what is beyond."""
FINE_SIZE = len(FINE_S) + 1


def fine(seconds: float) -> int:
    """Which of FINE_SIZE buckets counts so long a time."""
    return bisect_left(FINE_S, seconds)


class Recent:
    """The quantiles of what was counted in the last ten seconds, looked at now and then.

    The window begins with the youngest look that is at least WINDOW_S old, or else the oldest.
    Where nobody has looked for two windows there is nothing to say until the next look.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looks: deque[tuple[float, Sequence[float]]] = deque([(clock(), [0.0] * FINE_SIZE)])

    def quantiles(self, counts: Sequence[float]) -> dict[float, float]:
        """Seconds by quantile; `counts`: of each bucket since the beginning. Empty without any."""
        now, looks = self._clock(), self._looks
        oldest = now - 2 * WINDOW_S
        while len(looks) > 1 and (looks[1][0] <= now - WINDOW_S or looks[0][0] < oldest):
            looks.popleft()
        since, before = looks[0]
        if now - looks[-1][0] >= _APART_S:
            looks.append((now, counts))
        if since < oldest:
            return {}
        running = list(accumulate(map(sub, counts, before)))
        return {each: _quantile(each, running) for each in QUANTILES} if running[-1] > 0 else {}


def _quantile(share: float, running: Sequence[float]) -> float:
    """Linear within a bucket; `running`: counts of each bucket and all below."""
    wanted = share * running[-1]
    index = bisect_left(running, wanted)
    if index >= len(FINE_S):
        return FINE_S[-1]
    below, low = (running[index - 1], FINE_S[index - 1]) if index else (0.0, 0.0)
    return low + (FINE_S[index] - low) * (wanted - below) / (running[index] - below)
