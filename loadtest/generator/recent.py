"""Percentiles of the last ten seconds, from the engine's own histograms.

Prometheus' buckets are too wide for a percentile. HdrHistogram keeps three digits, so a scrape
shows the quantiles themselves. The services do the same (services/common/lab/metrics/recent.py).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from loadtest.stats.histogram import Counts, Histogram

WINDOW_S = 10.0
QUANTILES = (0.5, 0.95, 0.99)
_APART_S = 1.0  # between two looks that are kept, however often somebody asks


@dataclass(frozen=True)
class _Look:
    """What had been counted at a moment: only the buckets that held something."""

    at: float
    filled: Counts
    counts: Counts


class Recent:
    """The quantiles of what was counted in the last ten seconds, looked at now and then.

    The window begins with the youngest look that is at least WINDOW_S old, or else the oldest.
    Where nobody has looked for two windows there is nothing to say until the next look.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looks = deque([_look(clock(), Histogram())])

    def quantiles(self, histogram: Histogram) -> dict[float, float]:
        """Seconds by quantile; `histogram`: all since the beginning. Empty without an answer."""
        now, looks = self._clock(), self._looks
        oldest = now - 2 * WINDOW_S
        while len(looks) > 1 and (looks[1].at <= now - WINDOW_S or looks[0].at < oldest):
            looks.popleft()
        before = looks[0]
        if now - looks[-1].at >= _APART_S:
            looks.append(_look(now, histogram))
        if before.at < oldest:
            return {}
        new = Histogram()
        new.merge(histogram)
        new.counts[before.filled] -= before.counts
        return {each: new.percentile_us(each * 100) / 1e6 for each in QUANTILES if new.total}


def _look(at: float, histogram: Histogram) -> _Look:
    filled = np.flatnonzero(histogram.counts)
    return _Look(at, filled, histogram.counts[filled])
