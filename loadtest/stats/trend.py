"""A straight line through counts, one after another."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import scipy


@dataclass(frozen=True)
class Trend:
    """`change` from the first to the last value as a share of their mean, by the line; `p` of no
    change at all.
    """

    change: float
    p: float


def trend(values: Sequence[float]) -> Trend:
    """Least squares, and Student's t of the slope; needs three values whose mean is not 0."""
    places = range(len(values))
    if len(values) < 3:
        raise ValueError(f"a trend needs 3 values, not {len(values)}")
    slope, begin = statistics.linear_regression(places, values)
    squares = sum((y - begin - slope * x) ** 2 for x, y in zip(places, values, strict=True))
    spread = sum((x - statistics.fmean(places)) ** 2 for x in places)
    freedom = len(values) - 2
    error = math.sqrt(squares / freedom / spread)
    p = 1.0 if slope == 0 else 0.0
    if error > 0:
        p = float(2 * scipy.stats.t.sf(abs(slope) / error, freedom))
    return Trend(slope * len(values) / statistics.fmean(values), p)
