"""A bound is tested as a bound: what lies below it, however scattered, says nothing against it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.analysis import claims
from loadtest.model.trial import Trial
from loadtest.results.runs import counted
from tests.synthetic import experiment, faster, trials_of

ONE = experiment(
    levels=[{"connections": 128}],
    criteria=[
        {
            "says": "flask-gthread never passes its slots ÷ wait",
            "service": "flask-gthread",
            "level": "128 connections",
            "measure": "past_prediction",
            "value_at_most": 1.05,
        }
    ],
)


def verdict(shares: list[float]) -> str:
    """The verdict where flask-gthread reached these shares of its prediction, round by round."""

    def reaching(trial: Trial) -> Trial:
        assert trial.prediction
        share = trial.result.goodput_rps / trial.prediction.rps
        return faster(trial, shares[trial.round - 1] / share)

    trials = counted(trials_of([ONE], change=reaching))
    return claims.judge(ONE, trials, "typical")[0].word


@given(st.lists(st.floats(0.2, 1.0), min_size=6, max_size=6))
@settings(max_examples=25, deadline=None)
def test_rounds_below_the_bound_confirm_it_however_they_scatter(shares: list[float]) -> None:
    assert verdict(shares) == "confirmed"


@given(st.lists(st.floats(1.1, 1.15), min_size=6, max_size=6))
@settings(max_examples=10, deadline=None)
def test_a_service_that_passes_it_refutes_it(shares: list[float]) -> None:
    assert verdict(shares) == "refuted"


def test_one_that_passes_it_now_and_then_confirms_nothing() -> None:
    assert verdict([0.9, 1.3, 0.9, 1.3, 0.9, 1.3]) in ("undecided", "refuted")
