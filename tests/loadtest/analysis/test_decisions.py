"""Where a look asks for more rounds, and where none would help."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loadtest.analysis.decisions import look, undecided
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.sequential import looks_within
from tests.synthetic import experiment, faster, trials_of

LEVEL = "128 connections"


def designed(**changes: Any) -> Experiment:
    return replace(experiment(rounds=12, **changes), looks=looks_within(12))


def bounds(**given: float | str) -> dict[str, Any]:
    return {"says": "so", "service": "flask-gthread", "level": LEVEL} | given


def test_what_is_plain_is_decided_at_the_first_look() -> None:
    one = designed()
    assert look(one, trials_of([one]), 3).open == {}


@pytest.mark.parametrize("noise", [0.02, 0.3])
def test_a_level_stays_open_as_long_as_its_noise_hides_the_bound(noise: float) -> None:
    one = designed(
        criteria=[bounds(ratio_at_most=0.4), bounds(level="1 connection", ratio_at_most=100)]
    )
    found = undecided(one, [each for each in trials_of([one], noise=noise) if each.round <= 3])
    assert found == ({} if noise < 0.1 else {LEVEL: ("fastapi-async", "flask-gthread")})


def test_equivalence_is_a_decision() -> None:
    one = designed(criteria=[bounds(level="1 connection", ratio_at_least=0.9, ratio_at_most=1.1)])
    assert undecided(one, trials_of([one], noise=0.01)) == {}


def test_no_round_is_spent_on_what_has_no_figure() -> None:
    """Too few requests for a p99, or a service that is not there, stay so."""
    one = designed(criteria=[bounds(measure="p99_ms", level="1 connection", value_at_most=1)])
    assert undecided(one, trials_of([one])) == {}
    two = designed(criteria=[bounds(ratio_at_most=0.5)])
    assert undecided(two, [t for t in trials_of([two]) if t.service != "flask-gthread"]) == {}


def test_without_criteria_every_comparison_has_to_be_decided() -> None:
    one = designed(criteria=[])

    def noisy(trial: Trial) -> Trial:
        by = 1 + trial.round % 2 if (trial.level, trial.arm) == (LEVEL, "flask-sync") else 1
        return faster(trial, by * 10 if by > 1 else by)

    found = undecided(one, trials_of([one], change=noisy))
    assert found == {LEVEL: ("fastapi-async", "flask-sync")}


def test_a_slope_is_open_at_all_its_levels() -> None:
    slope = {"says": "s", "service": "flask-gthread", "measure": "pss_kib_per_request"}
    one = designed(measure="pss_kib_per_request", criteria=[slope | {"value_at_most": 60.0}])
    seen = [each for each in trials_of([one]) if each.round <= 3]
    assert undecided(one, seen) == {level.label: ("flask-gthread",) for level in one.levels}


def test_a_round_without_growth_has_no_ratio_and_is_not_waited_for() -> None:
    slope = {"says": "s", "service": "flask-gthread", "measure": "pss_kib_per_request"}
    one = designed(measure="pss_kib_per_request", criteria=[slope | {"ratio_at_least": 2.0}])

    def shrinking(trial: Trial) -> Trial:
        if (trial.arm, trial.round, trial.level) != ("flask-gthread", 2, LEVEL):
            return trial
        return replace(trial, samples=tuple(replace(each, pss_bytes=1) for each in trial.samples))

    assert undecided(one, trials_of([one], change=shrinking)) == {}


def test_a_line_that_one_load_would_draw_alone_is_not_waited_for() -> None:
    """As where a service took its requests up at one load only: no further round changes that."""
    slope = {"says": "s", "service": "flask-gthread", "measure": "pss_kib_per_request"}
    one = designed(measure="pss_kib_per_request", criteria=[slope | {"ratio_at_least": 2.0}])
    alone = [t for t in trials_of([one]) if t.service != "flask-gthread" or t.level == LEVEL]
    assert undecided(one, alone) == {}
