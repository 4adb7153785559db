"""Verdicts: sentences that never say more than the numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from statistics import geometric_mean
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.analysis import claims
from loadtest.analysis.amounts import amount, limits
from loadtest.analysis.findings import (
    Finding,
    against_itself,
    against_reference,
    outcome,
    sentence,
    stable,
)
from loadtest.analysis.observations import by_round
from loadtest.analysis.verdict import Claim, State
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.report import files
from loadtest.results.runs import counted
from loadtest.stats import inference
from loadtest.stats.inference import Ratio, compare
from tests.synthetic import TRUTHS, Truth, experiment, failing, faster, trials_of, write_run

EIGHTEEN = Ratio(1.18, 1.14, 1.22, 12, 1e-6, 1.0, 0.04)


def test_a_difference_is_told_with_its_interval_and_rounds() -> None:
    assert sentence("goodput_rps", "a", "b", EIGHTEEN, 1e-5) == (
        "a handled 18 % more requests/s than b (95 % CI 14–22 %, 12 rounds)"
    )
    assert sentence("p99_ms", "a", "b", EIGHTEEN.inverse(), 1e-5) == (
        "a took 15 % less time than b at the 99th percentile (95 % CI 12–18 %, 12 rounds)"
    )


def test_a_large_difference_is_told_in_times_by_the_larger() -> None:
    large = Ratio(4.2, 4.0, 4.4, 12, 1e-9, 1.0, 0.04)
    told = "a handled 4.2 times as many requests/s as b (95 % CI 4.0–4.4 times, 12 rounds)"
    assert sentence("goodput_rps", "a", "b", large, 1e-8) == told
    assert sentence("goodput_rps", "b", "a", large.inverse(), 1e-8) == told


def test_a_sure_difference_within_the_margin_has_no_winner() -> None:
    small = Ratio(1.01, 1.005, 1.015, 12, 1e-4, 1e-9, 0.01)
    assert sentence("goodput_rps", "a", "b", small, 1e-4) == (
        "No meaningful difference between a and b (within ±5 %, 12 rounds)"
    )


def test_what_cannot_be_told_says_what_could_have_been() -> None:
    vague = Ratio(1.1, 0.9, 1.3, 6, 0.2, 0.8, 0.31)
    assert sentence("goodput_rps", "a", "b", vague, 0.4) == (
        "Inconclusive between a and b: this run could only detect about 31 %"
    )
    assert sentence("goodput_rps", "a", "b", None, 1.0).startswith("Not measured")


def test_two_rounds_decide_nothing() -> None:
    lucky = Ratio(3.0, 3.0, 3.0, 2, 0.0, 1.0, 0.0)
    assert sentence("goodput_rps", "a", "b", lucky, 0.0) == (
        "Inconclusive between a and b: 2 rounds are too few"
    )


def test_two_rounds_have_no_interval() -> None:
    assert limits(Ratio(1.0, 0.97, 1.02, 2, 1.0, 0.0, 0.1)) == "too few rounds"
    assert limits(Ratio(1.0, 0.97, 1.02, 3, 1.0, 0.0, 0.1)) == "0.97–1.02"


rounds_of = st.lists(st.floats(0.5, 2000), min_size=2, max_size=12)


@given(rounds_of, rounds_of, st.floats(1, 5), st.sampled_from(list(MEASURES)))
def test_a_winner_is_named_only_where_the_numbers_name_one(
    service: list[float], reference: list[float], correction: float, measure: str
) -> None:
    found = compare(dict(enumerate(service)), dict(enumerate(reference)))
    assert found is not None
    p = min(1.0, found.p_different * correction)
    said = sentence(measure, "a", "b", found, p)
    wins = bool(
        re.search(r"\d %? ?(more|fewer|less|longer|larger|smaller|higher|lower)| times ", said)
    )
    assert wins == (p < 0.05 and found.p_equivalent >= 0.05 and found.rounds >= 3)
    assert wins == (outcome(found, p) in ("more", "less"))
    if wins:
        assert not found.low <= 1 <= found.high


@given(st.lists(st.sampled_from(get_args(State)), max_size=6))
def test_a_claim_is_confirmed_only_where_all_of_it_was_measured_and_holds(
    states: list[State],
) -> None:
    found = claims.word(states)
    measured = [state for state in states if state != "not measured"]
    assert (found == "confirmed") == (set(states) == {"holds"})
    assert (found == "refuted") == (bool(measured) and set(measured) == {"fails"})
    assert (found == "not measured") == (not measured)
    assert (found == "conditional") == ({"holds", "fails"} <= set(measured))


def _findings(one: Experiment, trials: list[Trial]) -> list[Finding]:
    return against_reference(one, counted(trials))


def test_two_services_of_one_image_get_no_winner() -> None:
    twin = Truth(slots=40, cpu_ms=0.25)
    # Not with one connection: of twenty answers in a window one more is five percent.
    one = experiment(rounds=12, levels=[{"connections": n} for n in (32, 128)])
    for seed in range(12):
        trials = trials_of([one], seed=seed, truths=dict.fromkeys(one.services, twin))
        outcomes = {finding.outcome for finding in _findings(one, trials)}
        assert outcomes <= {"equivalent", "inconclusive"}


def test_a_service_with_a_known_delay_is_found_with_its_ratio_inside_the_interval() -> None:
    one = experiment(rounds=12, services=["fastapi-async", "slower"], criteria=[])
    slower = Truth(slots=40, cpu_ms=TRUTHS["fastapi-async"].cpu_ms, delay_ms=20)
    trials = trials_of([one], truths=TRUTHS | {"slower": slower})
    found = next(f for f in _findings(one, trials) if f.level == "8 connections")
    assert found.outcome == "less"
    assert found.ratio is not None
    assert found.ratio.low <= 100.25 / 120.25 <= found.ratio.high


def test_a_service_that_differs_from_itself_makes_the_run_unstable() -> None:
    one = experiment()
    trials = trials_of([one])
    assert stable(against_itself([one], {one.name: trials}))

    def spoiled(trial: Trial) -> Trial:
        return faster(trial, 1.3) if trial.arm.endswith("#2") else trial

    spoiled_trials = trials_of([one], change=spoiled)
    assert not stable(against_itself([one], {one.name: spoiled_trials}))


def test_a_trial_that_failed_a_gate_decides_nothing_and_its_rerun_does() -> None:
    one = experiment()
    trials = trials_of([one])
    broken = [failing(faster(trial, 9)) if trial.index == 0 else trial for trial in trials]
    rerun = Trial(**vars(trials[0]) | {"attempt": 2})
    first = trials[0]
    assert len(counted(broken)) == len(trials) - 1
    assert first.round not in by_round(counted(broken), "goodput_rps", first.level, first.arm)
    assert {t.attempt for t in counted([*broken, rerun]) if t.index == 0} == {2}


def _judged(*criteria: dict[str, Any]) -> Claim:
    one = experiment(criteria=list(criteria))
    return claims.judge(one, counted(trials_of([one])), "typical")[0]


HOLDS = {
    "says": "threads stop early",
    "service": "flask-gthread",
    "level": "128 connections",
    "ratio_at_most": 0.5,
}
FAILS = HOLDS | {"says": "threads go on", "ratio_at_most": None, "ratio_at_least": 0.9}
FAILS = {key: value for key, value in FAILS.items() if value is not None}
OPEN = HOLDS | {"says": "threads stop at this very figure", "ratio_at_most": 0.301}


def test_claims_end_as_their_criteria_do() -> None:
    assert _judged(HOLDS).word == "confirmed"
    assert _judged(FAILS).word == "refuted"
    assert _judged(HOLDS, FAILS).word == "conditional"
    assert _judged(HOLDS, OPEN).word == "undecided"
    assert _judged().word == "not measured"


def test_a_conditional_claim_spells_its_conditions_out() -> None:
    said = _judged(HOLDS, FAILS).sentence
    assert "under the typical budget" in said
    assert "Holds: fastapi-async ÷ flask-gthread, 128 connections: 3." in said
    assert "Fails: flask-gthread ÷ fastapi-async, 128 connections: 0.29 × (" in said


@pytest.mark.parametrize("first", [HOLDS, FAILS])
def test_a_conditional_claim_names_a_part_that_ends_otherwise(first: dict[str, Any]) -> None:
    claim = _judged(first, FAILS if first is HOLDS else HOLDS)
    [headline, other] = claim.checks
    assert f"1 of 2 parts holds; one that {other.state}: {other.line}" in claim.why
    assert headline.line not in claim.why


def test_a_claim_has_its_prediction_beside_it() -> None:
    check = _judged(HOLDS).checks[0]
    assert check.predicted == pytest.approx(12 / 40, rel=0.01)


def test_what_a_service_reached_of_its_prediction_is_averaged_as_a_ratio() -> None:
    within = {
        "says": "threads stop at slots ÷ wait",
        "service": "flask-gthread",
        "level": "128 connections",
        "measure": "share_of_prediction",
        "value_at_least": 0.9,
        "value_at_most": 1.1,
    }
    one = experiment(criteria=[within])
    trials = counted(trials_of([one], noise=0.4))
    [check] = claims.judge(one, trials, "typical")[0].checks
    shares = [
        trial.result.goodput_rps / trial.prediction.rps
        for trial in trials
        if (trial.arm, trial.level) == ("flask-gthread", "128 connections") and trial.prediction
    ]
    assert check.figure is not None
    assert check.figure.value == pytest.approx(geometric_mean(shares))
    assert check.figure.value / check.figure.low == pytest.approx(
        check.figure.high / check.figure.value
    )


def test_a_slope_is_held_against_its_bounds() -> None:
    change = {
        "measure": "pss_kib_per_request",
        "load": {"kind": "held"},
        "levels": [{"connections": n} for n in (1, 500, 1000)],
    }
    kib = {
        "says": "60 KiB",
        "service": "flask-gthread",
        "value_at_least": 50.0,
        "value_at_most": 70.0,
    }
    more = {"says": "more", "service": "flask-gthread", "ratio_at_least": 1.5}
    one = experiment(**change, criteria=[kib, more])
    claim = claims.judge(one, counted(trials_of([one])), "typical")[0]
    assert claim.word == "confirmed"
    assert "KiB a held request" in claim.checks[0].line


def test_one_experiment_can_decide_two_claims() -> None:
    one = experiment(
        further=[{"claim": "C11", "statement": "no threads"}],
        criteria=[HOLDS, FAILS | {"claim": "C11"}],
    )
    found = claims.judge(one, counted(trials_of([one])), "typical")
    assert [(claim.claim, claim.word) for claim in found] == [
        ("C1", "confirmed"),
        ("C11", "refuted"),
    ]


def test_verdicts_json_says_all_that_the_page_says(tmp_path: Path) -> None:
    one = experiment(criteria=[HOLDS, FAILS])
    files.build(write_run(tmp_path / "run", [one], trials_of([one])))
    found = json.loads((tmp_path / "run/verdicts.json").read_text())
    claim = found["claims"][0]
    assert claim["verdict"] == "conditional"
    assert claim["interval"][0] <= claim["ratio"] <= claim["interval"][1]
    assert claim["rounds"] == 6
    assert claim["smallest_detectable_effect"] > 0
    assert found["stable"] is True
    assert len(found["comparisons"]) == 8
    assert len(found["twins"]) == 4


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.3, "0.30"),
        (0.012345, "0.012"),
        (0, "0"),
        (12.34, "12.3"),
        (1234.5, "1,234"),
        (-2.5, "−2.5"),
    ],
)
def test_amounts_are_written_short(value: float, written: str) -> None:
    write: Callable[[float], str] = amount
    assert write(value) == written


def test_fewer_than_three_rounds_have_no_interval() -> None:
    assert inference.interval([4.0, 9.0], logarithmic=True) == pytest.approx((6, 6, 6))
    mean, low, high = inference.interval([4.0, 6.0, 9.0], logarithmic=True)
    assert low < mean < high
