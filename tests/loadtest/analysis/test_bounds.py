"""A claim that something never passes a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from loadtest.analysis import claims
from loadtest.analysis.verdict import Check
from loadtest.results.runs import counted
from tests.synthetic import experiment, trials_of


def _judged_by_the_bound(shares: Sequence[float]) -> Check:
    """What became of *never passes slots ÷ wait*, where rounds reach `shares` of it."""
    bound = {
        "says": "threads never pass slots ÷ wait",
        "service": "flask-gthread",
        "level": "128 connections",
        "measure": "beyond_slots",
        "value_at_most": 0.05,
    }
    one = experiment(criteria=[bound])
    trials = [
        replace(trial, result=replace(trial.result, goodput_rps=share * trial.prediction.rps))
        for trial in counted(trials_of([one]))
        if trial.prediction and trial.round <= len(shares)
        for share in [shares[trial.round - 1]]
    ]
    [check] = claims.judge(one, trials, "typical")[0].checks
    return check


@pytest.mark.parametrize(
    ("shares", "state"),
    [
        ((0.5, 0.97, 0.7), "holds"),
        ((1.0, 1.01, 1.0), "holds"),
        ((0.5, 1.4, 0.7), "open"),
        ((2.0, 2.1, 2.05), "fails"),
    ],
)
def test_a_bound_is_kept_however_far_below_it_rounds_end(
    shares: tuple[float, ...], state: str
) -> None:
    check = _judged_by_the_bound(shares)
    assert check.state == state
    assert check.figure is not None
    assert 0 <= check.figure.low <= check.figure.value <= check.figure.high <= 1
