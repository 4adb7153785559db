"""Where a look asks for more rounds, and where none would help."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loadtest.analysis import decisions
from loadtest.analysis.claims import stage_for
from loadtest.analysis.decisions import look, places_of, undecided
from loadtest.analysis.findings import Finding
from loadtest.analysis.observations import growth
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.sequential import looks_within
from loadtest.stats.inference import Ratio
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
    assert list(found) == ([] if noise < 0.1 else [LEVEL])


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


def test_what_was_decided_is_not_open_again_without_its_services() -> None:
    """As a comparison is whose p value another one's further rounds have raised."""
    one = designed(criteria=[bounds(reference="flask-sync", ratio_at_most=4.0)])
    noisy = [each for each in trials_of([one], noise=0.3) if each.round <= 3]
    arms = ("flask-sync", "flask-gthread")
    for going in (None, places_of({LEVEL: arms})):
        assert undecided(one, noisy, going) == {LEVEL: arms}
    for arm in arms:
        assert undecided(one, noisy, places_of({LEVEL: (arm,)})) == {}


def test_services_with_too_few_rounds_in_common_get_more() -> None:
    one = designed(criteria=[])
    lost = [
        each
        for each in trials_of([one], noise=0.001)
        if each.round <= 3 and (each.level, each.arm) != (LEVEL, "flask-sync")
    ]
    assert LEVEL not in undecided(one, lost)
    few = [each for each in trials_of([one], noise=0.001) if each.round == 3]
    assert undecided(one, [*(each for each in lost if each.round < 3), *few])[LEVEL] == (
        "fastapi-async",
        "flask-sync",
    )


def test_where_other_comparisons_alone_keep_one_open_all_of_them_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Holm's bound for the one that is told depends on the others' p values."""
    one = designed(criteria=[bounds(ratio_at_most=0.4)])
    ratio = Ratio(0.3, 0.25, 0.35, 3, 0.02, 1.0, 0.5)

    def found(p_adjusted: float) -> list[Finding]:
        service, reference = "flask-gthread", "fastapi-async"
        return [Finding(one.name, LEVEL, one.measure, service, reference, ratio, p_adjusted)]

    trials = [each for each in trials_of([one], noise=0.001) if each.round <= 3]
    for p_adjusted, going_on in ((0.04, {}), (0.06, {LEVEL: one.services})):
        made = found(p_adjusted)
        monkeypatch.setattr(decisions, "against_reference", lambda *_, made=made: made)
        assert undecided(one, trials) == going_on


def test_rounds_with_but_some_of_the_loads_say_nothing_of_a_slope() -> None:
    slope = {"says": "s", "service": "flask-gthread", "measure": "pss_kib_per_request"}
    one = designed(measure="pss_kib_per_request", criteria=[slope | {"value_at_most": 60.0}])
    made = trials_of([one], noise=0.1)
    three = [each for each in made if each.round <= 3]
    later = [each for each in made if 3 < each.round <= 8 and each.level in ("1 connection", LEVEL)]
    [criterion] = one.criteria
    stages = [stage_for(one, criterion, each) for each in (three, [*three, *later])]
    assert stages[0] == stages[1]
    assert stages[0].rounds == 3
    lines = [
        growth(each, criterion.measure, criterion.service, stages[0])
        for each in (three, [*three, *later])
    ]
    assert lines[0] == lines[1]
