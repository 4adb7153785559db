"""A criterion that compares two levels: of one service, or of two."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.analysis import claims, decisions, verdict
from loadtest.analysis.answers import answer
from loadtest.analysis.observations import stage_of
from loadtest.analysis.verdict import Check
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan import sequential
from loadtest.plan.sequential import looks_within
from loadtest.report.takeaways import takeaway
from loadtest.stats.sequential import Stage
from tests.synthetic import experiment, faster, trials_of

FEW, MANY = "1 connection", "128 connections"  # flask-gthread has 12 slots of 100 ms


def across(**changes: Any) -> Experiment:
    criterion = {
        "says": "128 connections are answered ten times as often as one",
        "service": "flask-gthread",
        "reference": "flask-gthread",
        "level": MANY,
        "reference_level": FEW,
        "ratio_at_least": 10.0,
    }
    return experiment(criteria=[criterion | changes])


def judged(one: Experiment, trials: list[Trial]) -> Check:
    [check] = claims.checks(one, trials)
    return check


def test_two_levels_of_one_service_are_a_ratio_with_its_prediction() -> None:
    one = across()
    check = judged(one, trials_of([one]))
    assert check.state == "holds"
    assert check.figure
    assert check.figure.value == pytest.approx(12, rel=0.1)
    assert check.predicted == pytest.approx(12)  # 12 slots against one connection
    assert check.line.startswith(f"flask-gthread: {MANY} ÷ {FEW}: 1")
    assert check.reason.startswith("12 slots (threads) in both, each taken for 100 ms; ")


def test_as_many_slots_are_told_with_how_much_of_them_was_used() -> None:
    """Where the figures are alike, the slots alone explain them."""
    one = across()
    reason = judged(one, trials_of([one])).reason
    used = re.search(r"; used were (\d+) % of them in (.*) and ([\d.]+) % in (.*)$", reason)
    assert used
    assert (used[2], used[4]) == (MANY, FEW)
    assert float(used[1]) == pytest.approx(100, abs=5)
    assert float(used[3]) == pytest.approx(100 / 12, abs=1)
    alike = across(level="32 connections", reference_level=MANY, ratio_at_least=0.9)
    assert judged(alike, trials_of([alike])).reason.endswith("in both, each taken for 100 ms")


def test_services_at_different_levels_are_told_with_their_levels() -> None:
    one = across(reference="fastapi-async", ratio_at_least=None, ratio_at_most=20.0)
    check = judged(one, trials_of([one]))
    assert verdict.subject(check) == f"flask-gthread at {MANY} ÷ fastapi-async at {FEW}"


def test_a_small_ratio_of_levels_is_told_from_its_larger_side() -> None:
    one = across(level=FEW, reference_level=MANY, ratio_at_least=None, ratio_at_most=0.1)
    check = judged(one, trials_of([one]))
    assert check.line.startswith(f"flask-gthread: {MANY} ÷ {FEW}: 1")
    assert check.line.endswith("the claim needs at least 10 ×")


@given(st.floats(0.2, 5.0))
def test_the_ratio_is_what_was_put_in(factor: float) -> None:
    one = across(level="32 connections", reference_level=MANY)
    even = trials_of([one], noise=0.001)
    changed = [
        faster(each, factor)
        if each.level == "32 connections" and each.arm == "flask-gthread"
        else each
        for each in even
    ]
    before, after = (judged(one, trials).figure for trials in (even, changed))
    assert before
    assert after
    assert math.isclose(after.value / before.value, factor, rel_tol=0.05)


def test_both_levels_have_further_rounds_while_the_comparison_is_open() -> None:
    one = replace(across(ratio_at_least=12.0), rounds=12, looks=looks_within(12))
    trials = [each for each in trials_of([one], noise=0.3) if each.round <= 3]
    assert sequential.deciding(one) == {FEW, MANY}
    assert decisions.undecided(one, trials) == dict.fromkeys((FEW, MANY), ("flask-gthread",))


def test_a_level_that_had_more_rounds_does_not_lend_its_look_to_the_other() -> None:
    one = replace(across(), rounds=12, looks=looks_within(12))
    trials = [each for each in trials_of([one]) if each.round <= (3 if each.level == FEW else 8)]
    found = claims.stage_for(one, one.criteria[0], trials)
    assert found == sequential.stage(one, {FEW, MANY}, 3)
    assert isinstance(found, Stage)


@pytest.mark.parametrize("ended", ["flask-gthread", "fastapi-async"])
def test_a_service_that_had_more_rounds_does_not_lend_its_look_to_the_other(ended: str) -> None:
    one = replace(experiment(rounds=12), looks=looks_within(12))
    trials = [t for t in trials_of([one]) if t.round <= (3 if t.arm == ended else 8)]
    stages = {
        "both": claims.stage_for(one, one.criteria[0], trials),
        **{arm: stage_of(one, {MANY}, {arm}, trials) for arm in ("flask-gthread", "fastapi-async")},
    }
    rounds = {name: stage.rounds for name, stage in stages.items()}
    assert rounds == {"both": 3, "flask-gthread": 8, "fastapi-async": 8} | {ended: 3}
    early = [each for each in trials if each.round <= 3]
    now, then = (claims.checks(one, each)[0].figure for each in (trials, early))
    assert now == then
    assert now
    assert now.rounds == 3


def test_the_answer_and_the_chart_name_both_levels() -> None:
    one = across()
    trials = trials_of([one])
    found = answer(one, claims.judge(one, trials, "typical"), [], trials)
    assert found
    assert found.compares
    assert found.finding.startswith(f"{MANY} handled 1")
    assert f"as {FEW}" in found.finding
    assert takeaway([], one, trials).startswith(f"flask-gthread: {MANY} handled")


def test_a_service_that_is_faster_everywhere_does_not_change_a_ratio_of_its_own() -> None:
    one = across()
    trials = trials_of([one])
    before, after = judged(one, trials), judged(one, [faster(each, 1.5) for each in trials])
    assert before.figure
    assert after.figure
    assert after.figure.value == pytest.approx(before.figure.value, rel=0.01)
