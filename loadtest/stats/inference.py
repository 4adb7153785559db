"""The arithmetic of a fair comparison. Pure functions; each names its source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

from loadtest.stats.sequential import FIXED, Stage

ALPHA = 0.05
POWER = 0.8
MARGIN = 0.05  # two services within ±5 % of each other are equivalent
INTERVAL_ROUNDS = 3  # two rounds that agree by chance would look like certainty

# Requests needed before a percentile is worth printing: about thirty beyond it, ten for p99.9.
ENOUGH = {50.0: 30, 90.0: 300, 95.0: 600, 99.0: 3_000, 99.9: 10_000}


@dataclass(frozen=True)
class Ratio:
    """A service ÷ its reference over paired rounds.

    At a look, intervals and p values are repeated ones: those of the whole design.
    """

    value: float  # geometric mean
    low: float  # of the 95 % interval, as `high`
    high: float
    rounds: int
    p_different: float  # that the ratio is 1, two-sided
    p_equivalent: float  # that it lies outside ±5 %
    detectable: float  # smallest effect found with 80 % power (0.12 = 12 %)

    @property
    def equivalent(self) -> bool:
        """Whether the ratio lies within ±5 % at the 5 % level."""
        return self.p_equivalent < ALPHA

    def inverse(self) -> Ratio:
        """The same seen from the reference."""
        return Ratio(
            1 / self.value,
            1 / self.high,
            1 / self.low,
            self.rounds,
            self.p_different,
            self.p_equivalent,
            self.detectable,
        )


def compare(
    service: Mapping[int, float], reference: Mapping[int, float], stage: Stage = FIXED
) -> Ratio | None:
    """Compare two services by their paired log-ratios, round by round (round -> value).

    A round is a block: noise that both services share cancels in its ratio (Box, Hunter & Hunter,
    Statistics for Experimenters, 2005, ch. 3). None with fewer than two rounds in common or a value
    that is not above zero.
    """
    logs = log_ratios(service, reference)
    if logs is None or len(logs) < 2:
        return None
    mean, spread = float(np.mean(logs)), float(np.std(logs, ddof=1))
    level = stage.level(ALPHA)
    low, high = mean_interval(logs, 1 - level)
    return Ratio(
        value=math.exp(mean),
        low=math.exp(low),
        high=math.exp(high),
        rounds=len(logs),
        p_different=stage.overall(_p_different(logs)),
        p_equivalent=_one_sided(stage, _p_equivalent(logs)),
        detectable=math.expm1(min(spread * detectable_factor(len(logs), level), 700.0)),
    )


def contrast(after: Sequence[float], before: Sequence[float]) -> Ratio | None:
    """Compare two sets of values that are not paired, as ratio of their geometric means.

    Welch's t test on the logarithms (Welch, Biometrika 34, 1947). It knows nothing of what happened
    to the machine between the two. None with fewer than two values on a side or one not above zero.
    """
    if min(len(after), len(before)) < 2 or min(*after, *before) <= 0:
        return None
    new, old = np.log(after), np.log(before)
    difference = float(new.mean() - old.mean())
    parts = new.var(ddof=1) / len(new), old.var(ddof=1) / len(old)
    error = math.sqrt(sum(parts))
    if error == 0:
        same = abs(difference) < math.log1p(MARGIN)
        ratio = math.exp(difference)
        p = 1.0 if difference == 0 else 0.0
        return Ratio(ratio, ratio, ratio, len(after), p, 0.0 if same else 1.0, 0.0)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (len(new) - 1) + parts[1] ** 2 / (len(old) - 1))
    half = error * float(scipy.stats.t.ppf(1 - ALPHA / 2, freedom))
    reach = (
        float(scipy.stats.t.ppf(1 - ALPHA / 2, freedom)) + float(scipy.stats.t.ppf(POWER, freedom))
    ) * error
    return Ratio(
        value=math.exp(difference),
        low=math.exp(difference - half),
        high=math.exp(difference + half),
        rounds=min(len(after), len(before)),
        p_different=float(2 * scipy.stats.t.sf(abs(difference) / error, freedom)),
        p_equivalent=float(
            scipy.stats.t.sf((math.log1p(MARGIN) - abs(difference)) / error, freedom)
        ),
        detectable=math.expm1(reach),
    )


def log_ratios(service: Mapping[int, float], reference: Mapping[int, float]) -> list[float] | None:
    """log(service / reference) of each round that both have; None where a value is not
    above zero.
    """
    rounds = sorted(service.keys() & reference.keys())
    if any(service[each] <= 0 or reference[each] <= 0 for each in rounds):
        return None
    return [math.log(service[each] / reference[each]) for each in rounds]


def mean_interval(values: Sequence[float], confidence: float = 1 - ALPHA) -> tuple[float, float]:
    """Student's t interval of the mean (Student, Biometrika 6, 1908).

    Bootstrap intervals of six values cover 85 % where they promise 95 %; this one keeps its word.
    """
    half = _standard_error(values) * float(scipy.stats.t.ppf((1 + confidence) / 2, len(values) - 1))
    mean = float(np.mean(values))
    return mean - half, mean + half


def interval(
    values: Sequence[float], *, logarithmic: bool, share: bool = False, stage: Stage = FIXED
) -> tuple[float, float, float]:
    """Mean with its 95 % interval; geometric where `logarithmic`, so that it stays above zero.

    That of a share of a whole stays between 0 and 1. Fewer than three values have no interval:
    their mean stands for its limits.
    """
    scaled = [math.log(value) for value in values] if logarithmic else list(values)
    mean = float(np.mean(scaled))
    confidence = 1 - stage.level(ALPHA)
    few = len(scaled) < INTERVAL_ROUNDS
    low, high = (mean, mean) if few else mean_interval(scaled, confidence)
    found = (mean, max(low, 0.0), min(high, 1.0)) if share else (mean, low, high)
    return (math.exp(mean), math.exp(low), math.exp(high)) if logarithmic else found


def resolution(values: Sequence[float], *, logarithmic: bool, stage: Stage = FIXED) -> float:
    """The smallest distance from a bound that would have been found with 80 % power.

    As a share of the value: 0.12 = 12 %.
    """
    scaled = [math.log(value) for value in values] if logarithmic else list(values)
    reach = float(np.std(scaled, ddof=1)) * detectable_factor(len(scaled), stage.level(ALPHA))
    mean = float(np.mean(scaled))
    return math.expm1(min(reach, 700.0)) if logarithmic else reach / mean if mean else 0.0


def _standard_error(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) / math.sqrt(len(values))


def _p_different(logs: Sequence[float]) -> float:
    """Two-sided paired t test of mean 0 (Student, 1908)."""
    mean, error = float(np.mean(logs)), _standard_error(logs)
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * scipy.stats.t.sf(abs(mean) / error, len(logs) - 1))


def _p_equivalent(logs: Sequence[float]) -> float:
    """Two one-sided tests (Schuirmann, J. Pharmacokinetics Biopharm. 15, 1987): the larger p."""
    mean, error = float(np.mean(logs)), _standard_error(logs)
    margin = math.log1p(MARGIN)
    if error == 0:
        return 0.0 if abs(mean) < margin else 1.0
    return float(scipy.stats.t.sf((margin - abs(mean)) / error, len(logs) - 1))


def _one_sided(stage: Stage, p: float) -> float:
    """A one-sided p value as the whole design has it: half of a two-sided one."""
    return stage.overall(2 * p) / 2 if p < 0.5 else p


@lru_cache(maxsize=256)
def detectable_factor(rounds: int, level: float = ALPHA) -> float:
    """The k in `exp(s · k) − 1`, the smallest detectable effect at spread `s` of the log-ratios.

    k solves: a t test at `level` finds a mean of k standard deviations with 80 % power, by the
    noncentral t distribution (Cohen, Statistical Power Analysis, 1988, ch. 2).
    """
    freedom = rounds - 1
    critical = float(scipy.stats.t.ppf(1 - level / 2, freedom))

    def missing_power(effect: float) -> float:
        shift = effect * math.sqrt(rounds)
        return float(scipy.stats.nct.sf(critical, freedom, shift)) - POWER

    most = max(50.0, 2 * critical + 10)
    return float(scipy.optimize.brentq(missing_power, 0.01, most / math.sqrt(rounds)))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p values adjusted for their number (Holm, Scandinavian J. Statistics 6, 1979)."""
    adjusted: dict[str, float] = {}
    worst = 0.0
    for place, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        worst = max(worst, min(1.0, p_values[name] * (len(p_values) - place)))
        adjusted[name] = worst
    return {name: adjusted[name] for name in p_values}


@dataclass(frozen=True)
class Slope:
    """Change of y for each unit of x, with its 95 % interval, and the line's value at x = 0."""

    slope: float
    low: float
    high: float
    intercept: float


def slope(x: Sequence[float], y: Sequence[float]) -> Slope | None:
    """Theil–Sen slope: the median over all pairs (Sen, J. Am. Statistical Association 63, 1968).

    Up to 29 % of the points may be wild. Where ties in y leave Sen's interval undefined, the
    steepest pairs bound it. None where x has fewer than two different values.
    """
    if len(set(x)) < 2:
        return None
    with np.errstate(invalid="ignore"):  # Sen's variance falls below zero where most of y is tied
        found = scipy.stats.theilslopes(y, x)
    low, high = float(found.low_slope), float(found.high_slope)
    if math.isnan(low):
        low, high = _steepest(x, y)
    return Slope(float(found.slope), low, high, float(found.intercept))


def _steepest(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """The smallest and the largest slope between two points."""
    run, rise = (np.subtract.outer(values, values) for values in (x, y))
    slopes = rise[run > 0] / run[run > 0]
    return float(slopes.min()), float(slopes.max())


def looked_at(line: Slope, rounds: Sequence[Slope], stage: Stage) -> Slope:
    """A slope over some rounds at a look: the mean of its rounds' slopes, with its t interval.

    Sen's interval needs many points. At the levels of looks, after three rounds of two loads, it
    would miss the truth in 11 % of all runs.
    """
    each = [found.slope for found in rounds]
    mean, (low, high) = float(np.mean(each)), mean_interval(each, 1 - stage.level(ALPHA))
    return Slope(mean, low, high, line.intercept)


def percentile_ranks(
    count: int, percentile: float, confidence: float = 0.95
) -> tuple[int, int] | None:
    """Ranks (from 1) of the observations that bound a percentile, whatever the distribution.

    Order statistics of a binomial count (Hahn & Meeker, Statistical Intervals, 1991, ch. 5).
    None where `count` observations cannot bound it.
    """
    share, tail = percentile / 100, (1 - confidence) / 2
    low = int(scipy.stats.binom.ppf(tail, count, share))
    high = int(scipy.stats.binom.ppf(1 - tail, count, share)) + 1
    return (low, high) if low >= 1 and high <= count else None


def enough(count: int, percentile: float) -> bool:
    """Whether `count` requests are enough to print `percentile`."""
    needed = min(
        (number for known, number in ENOUGH.items() if known >= percentile),
        default=math.ceil(10 / (1 - percentile / 100)) if percentile < 100 else math.inf,
    )
    return count >= needed
