"""Looks at the data before the end, and how much of the allowed error each of them may spend.

Whoever looks five times at the 5 % level finds a difference that is not there more often than in
5 % of all cases. So the 5 % are spent over the looks (Lan & DeMets, Biometrika 70, 1983), by their
function that is like Pocock's bounds (Pocock, Biometrika 64, 1977). The bounds are those of t
statistics. With the normal distribution's, taken over by their p values, looks after 3, 4, 6, 8 and
12 rounds would err in 5.7 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

Masses = NDArray[np.float64]

# Cells of |z|, where z is a t statistic as the normal deviate of the same p value.
_EDGES = np.linspace(0.0, 7.5, 376)
_ANGLES = np.linspace(-math.pi / 2, math.pi / 2, 20_001)
_KNOWN_ALPHAS = np.geomspace(1e-6, 1.0, 49)


def spent(share: float, alpha: float) -> float:
    """What of `alpha` may be spent once `share` (0 to 1) of the rounds are there.

    Lan & DeMets's function like Pocock's bounds: about as much at each look.
    """
    return alpha * math.log1p((math.e - 1) * share)


@dataclass(frozen=True)
class Stage:
    """The look in `place` (from 1) of those after `looks` rounds, which rise; the last is the end.

    A design of one look is the usual fixed number of rounds.
    """

    looks: tuple[int, ...]
    place: int

    @property
    def rounds(self) -> int:
        """How many rounds the look is after."""
        return self.looks[self.place - 1]

    def level(self, alpha: float) -> float:
        """The two-sided level of a t test at this look, so that all looks together err in `alpha`.

        Its interval is a repeated one: with those of the other looks it covers the truth in
        1 − `alpha` of all runs (Jennison & Turnbull, J. Royal Statistical Society B 51, 1989).
        """
        return levels(self.looks, alpha)[self.place - 1] if len(self.looks) > 1 else alpha

    def overall(self, p: float) -> float:
        """The smallest `alpha` at which a t test whose p value is `p` would be decided here.

        A repeated p value (Jennison & Turnbull, Group Sequential Methods, 2000, ch. 9).
        """
        if len(self.looks) == 1 or p <= 0:
            return p
        known = np.log([each[self.place - 1] for each in _table(self.looks)])
        beyond = max(known[0] - math.log(p), 0.0)  # far out, alpha falls as p does
        found = float(np.interp(math.log(p), known, np.log(_KNOWN_ALPHAS))) - beyond
        return max(p, min(1.0, math.exp(found)))


FIXED = Stage((1,), 1)  # a number of rounds that nothing changes, whatever it is


@lru_cache(maxsize=256)
def levels(looks: tuple[int, ...], alpha: float) -> tuple[float, ...]:
    """The two-sided level of the t test at each look, which together err in `alpha`."""
    masses, before, found = _half_normal(), 0.0, []
    for place, rounds in enumerate(looks):
        if place:
            masses = masses @ _steps(looks[place - 1], rounds)
        allowed = spent(rounds / looks[-1], alpha)
        bound = _bound(masses, allowed - before)
        masses, before = _below(masses, bound), allowed
        found.append(float(2 * scipy.stats.norm.sf(bound)))
    return tuple(found)


@lru_cache(maxsize=32)
def _table(looks: tuple[int, ...]) -> tuple[tuple[float, ...], ...]:
    return tuple(levels(looks, float(alpha)) for alpha in _KNOWN_ALPHAS)


def _half_normal() -> Masses:
    tails = 2 * scipy.stats.norm.sf(_EDGES)
    tails[-1] = 0.0
    return np.asarray(-np.diff(tails))


def _bound(masses: Masses, beyond: float) -> float:
    """The |z| that so much of the mass lies beyond."""
    tails = np.append(np.cumsum(masses[::-1])[::-1], 0.0)
    if beyond >= tails[0]:
        return 0.0
    positive = tails > 0
    return float(
        np.interp(-math.log(beyond), -np.log(tails[positive]), _EDGES[: len(tails)][positive])
    )


def _below(masses: Masses, bound: float) -> Masses:
    """The mass of the runs that go on: of the cell that holds the bound, the part below it."""
    kept = np.clip((bound - _EDGES[:-1]) / np.diff(_EDGES), 0.0, 1.0)
    return np.asarray(masses * kept)


@lru_cache(maxsize=64)
def _steps(before: int, after: int) -> Masses:
    """The chances to come from each cell after `before` rounds to each one after `after`."""
    found: Masses = _step(before)
    for rounds in range(before + 1, after):
        found = found @ _step(rounds)
    return found


@lru_cache(maxsize=64)
def _step(rounds: int) -> Masses:
    """The same for one more round.

    The sum of n values over the root of their sum of squares, R, tells as much as t. Where the true
    mean is zero the squares are independent of it (Basu, Sankhya 15, 1955), so its next value
    depends on this one alone: (R + y) ÷ √(1 + y²), where y is a t of n degrees over √n. With
    φ = atan y it is R cos φ + sin φ.
    """
    middles = (_EDGES[:-1] + _EDGES[1:]) / 2
    now, then = _scaled(middles, rounds)[:, None], _scaled(_EDGES[:-1], rounds + 1)[None, :]
    size, turn = np.sqrt(1 + now**2), np.arctan2(1.0, now)
    chances = scipy.stats.t.cdf(np.sqrt(rounds) * np.tan(_ANGLES), rounds)

    def above(bound: Masses) -> Masses:
        width = np.arccos(np.clip(bound / size, -1, 1))
        ends = (np.clip(turn + sign * width, -math.pi / 2, math.pi / 2) for sign in (1, -1))
        high, low = (np.interp(end, _ANGLES, chances) for end in ends)
        return np.asarray(high - low)

    tails = above(then) + 1 - above(-then)
    tails[:, 0] = 1.0
    return np.asarray(-np.diff(tails, append=0.0, axis=1))


def _scaled(z: Masses, rounds: int) -> Masses:
    """The sum over the root of the squares, R, that has the p value of `z`."""
    t = scipy.stats.t.isf(scipy.stats.norm.sf(z), rounds - 1)
    return np.asarray(t * np.sqrt(rounds / (rounds - 1 + t**2)))
