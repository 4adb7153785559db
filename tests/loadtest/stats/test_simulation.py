"""Comparisons with a known truth that stop once they are decided."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loadtest.stats.inference import ALPHA, POWER, compare, detectable_factor
from loadtest.stats.sequential import Stage
from loadtest.stats.simulation import decided, drawn, simulate

LOOKS = (3, 4, 6, 8, 12)


@pytest.mark.parametrize("scatter", [0.02, 0.05, 0.15])
def test_identical_services_are_called_different_in_five_of_a_hundred_runs_at_most(
    scatter: float,
) -> None:
    found = simulate(0.0, scatter, LOOKS)
    assert found.different <= 0.05
    assert found.covered >= 0.94


@pytest.mark.parametrize("difference", [0.02, 0.05, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("scatter", [0.02, 0.05, 0.15])
def test_intervals_cover_the_truth_wherever_a_run_stops(difference: float, scatter: float) -> None:
    assert simulate(difference, scatter, LOOKS).covered >= 0.94


def test_services_at_the_margin_are_rarely_called_equivalent() -> None:
    assert simulate(0.05, 0.02, LOOKS).equivalent <= 0.05


def test_a_true_difference_is_found_with_the_stated_power() -> None:
    """Where the last look states 20 % as the smallest detectable effect, looks find it as often."""
    last = Stage(LOOKS, len(LOOKS))
    scatter = math.log1p(0.2) / detectable_factor(12, last.level(ALPHA))
    assert simulate(0.2, scatter, LOOKS).different >= POWER


def test_the_larger_the_difference_the_fewer_rounds() -> None:
    rounds = [simulate(each, 0.05, LOOKS).rounds for each in (0.05, 0.1, 0.2, 0.5)]
    assert rounds == sorted(rounds, reverse=True)
    assert rounds[-1] < 3.1


def test_what_is_simulated_decides_as_a_comparison_does() -> None:
    logs = drawn(math.log1p(0.04), 0.03, 12, runs=60, seed=4)
    for place in range(1, len(LOOKS) + 1):
        stage = Stage(LOOKS, place)
        seen = logs[:, : stage.rounds]
        answers = np.transpose(decided(seen, stage, math.log1p(0.04)))
        for run, (differs, equals, covers) in zip(np.exp(seen), answers, strict=True):
            found = compare(
                dict(enumerate(run.tolist())), dict.fromkeys(range(len(run)), 1.0), stage
            )
            assert found
            assert (found.p_different < ALPHA, found.equivalent) == (differs, equals)
            assert (found.low <= 1.04 <= found.high) == covers
