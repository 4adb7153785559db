"""Whether a request alone still takes what it took at first. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from loadtest.probe import growth
from loadtest.probe.record import Step

OTHERWISE = 0.25  # change of the wait, as a share, after which the ramp is made again
OTHERWISE_S = 0.002  # so little is chance


def changed(alone: Step, took: Sequence[float]) -> tuple[float, float] | None:
    """What a request alone took at first, and takes now; None where that is the same.

    `took`: of two requests or more that were sent at the end. Medians tell, as an answer that is
    late moves them little. A service that grew warm during the first step had quick answers there
    already: then its mean tells, if that is what slots follow from.
    """
    medians = alone.p50_s, statistics.median(took)
    if _otherwise(*medians):
        return medians
    means = alone.mean_s, statistics.fmean(took)
    warm = means[0] - means[1] > growth.SIGMAS * math.hypot(_error_s(alone), _error_of(took))
    return means if warm and _otherwise(*means) and not growth.crowded(alone) else None


def _otherwise(before_s: float, now_s: float) -> bool:
    return abs(now_s - before_s) > max(OTHERWISE * before_s, OTHERWISE_S)


def _error_s(step: Step) -> float:
    """The standard error of a step's mean."""
    return step.spread_s / math.sqrt(max(step.answered, 1))


def _error_of(took: Sequence[float]) -> float:
    return statistics.stdev(took) / math.sqrt(len(took))
