"""Made-up comparisons with a known truth: how often looks err, and how many rounds they take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from loadtest.stats.inference import ALPHA, MARGIN
from loadtest.stats.sequential import Stage

RUNS = 2000
DRIFT = 0.01  # of the machine from one trial to the next, in its logarithm

Logs = NDArray[np.float64]  # log-ratios: a line a run, a column a round
Answers = NDArray[np.bool_]


@dataclass(frozen=True)
class Simulated:
    """What became of many runs of one truth. All but `rounds`, a mean, are shares of the runs."""

    rounds: float
    different: float
    equivalent: float
    covered: float


def simulate(
    difference: float, scatter: float, looks: Sequence[int], *, runs: int = RUNS, seed: int = 1
) -> Simulated:
    """Runs of two services that differ by `difference` (0.2 = 20 %), each stopped once decided.

    `scatter`: of one round's log-ratio, before the machine's drift adds to it.
    """
    logs = drawn(math.log1p(difference), scatter, looks[-1], runs, seed)
    going = np.ones(runs, dtype=bool)
    rounds = np.zeros(runs)
    different, equivalent, covered = (np.zeros(runs, dtype=bool) for _ in range(3))
    for place in range(1, len(looks) + 1):
        stage = Stage(tuple(looks), place)
        differs, equals, covers = decided(logs[:, : stage.rounds], stage, math.log1p(difference))
        stops = going & (differs | equals | (place == len(looks)))
        rounds[stops] = stage.rounds
        different |= stops & differs & ~equals
        equivalent |= stops & equals
        covered |= stops & covers
        going &= ~stops
    means = (float(each.mean()) for each in (rounds, different, equivalent, covered))
    return Simulated(*means)


def drawn(truth: float, scatter: float, rounds: int, runs: int, seed: int) -> Logs:
    """Log-ratios of two trials a round, in random order, on a machine whose speed wanders."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, DRIFT, (runs, rounds))
    order = rng.choice((-1.0, 1.0), (runs, rounds))
    return np.asarray(truth + order * steps + rng.normal(0, scatter, (runs, rounds)))


def decided(logs: Logs, stage: Stage, truth: float) -> tuple[Answers, Answers, Answers]:
    """Of each run: different, equivalent, and whether the interval covers the truth.

    The same as `inference.compare`, for many runs at once.
    """
    freedom = logs.shape[1] - 1
    mean, error = logs.mean(axis=1), logs.std(axis=1, ddof=1) / math.sqrt(logs.shape[1])
    two_sided = scipy.stats.t.isf(stage.level(ALPHA) / 2, freedom)
    one_sided = scipy.stats.t.isf(stage.level(2 * ALPHA) / 2, freedom)
    return (
        np.abs(mean) > two_sided * error,
        math.log1p(MARGIN) - np.abs(mean) > one_sided * error,
        np.abs(mean - truth) <= two_sided * error,
    )
