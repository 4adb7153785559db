"""Verdict lines: the measured figure first, then what the claim needs, and why it is so."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.analysis import claims
from loadtest.analysis.findings import Finding, sentence
from loadtest.analysis.names import spoken
from loadtest.analysis.verdict import Check, Claim, Figure
from loadtest.model.criterion import Criterion
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.results.runs import counted
from loadtest.stats.inference import Ratio
from tests.synthetic import experiment, trials_of

NAMES = {"fastapi-async": "FastAPI", "flask-gthread": "Flask with threads"}


def criterion(**changes: Any) -> Criterion:
    usual: dict[str, Any] = {
        "claim": "C4",
        "says": "Flask answers at most a tenth",
        "service": "flask-gthread",
        "reference": "fastapi-async",
        "measure": "goodput_rps",
        "level": "JSON",
        "at_most": 0.1,
    }
    return Criterion(**usual | changes)


def check(one: Criterion, value: float, low: float, high: float, rounds: int = 6) -> Check:
    return Check(one, "fails", Figure(value, low, high, rounds), names=NAMES)


def test_a_small_ratio_is_told_from_its_larger_side() -> None:
    found = check(criterion(), 1 / 4.1, 1 / 5.1, 1 / 3.3)
    assert found.line == (
        "FastAPI ÷ Flask with threads, JSON: 4.1 × (3.3–5.1); the claim needs at least 10 ×"
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"at_most": 1.34, "service": "go"},
            "go ÷ FastAPI, JSON: 2.0 × (1.90–2.1); the claim needs at most 1.34 ×",
        ),
        (
            {"at_least": 0.95, "at_most": 1.05},
            "Flask with threads ÷ FastAPI, JSON: 2.0 × (1.90–2.1); the claim needs 0.95 to 1.05 ×",
        ),
        (
            {"measure": "p99_ms", "at_most": None, "at_least": 1.5},
            "Flask with threads ÷ FastAPI, p99, JSON: 2.0 × (1.90–2.1); "
            "the claim needs at least 1.5 ×",
        ),
        (
            {"ratio": False, "measure": "answered_share", "at_most": None, "at_least": 0.999},
            "Flask with threads, JSON: 200 % right answers (190–210); "
            "the claim needs at least 99.9",
        ),
    ],
)
def test_a_line_has_figure_interval_and_need(changes: dict[str, Any], line: str) -> None:
    assert check(criterion(**changes), 2.0, 1.9, 2.1).line == line


@pytest.mark.parametrize(
    ("changes", "value", "said"),
    [
        ({"at_most": 1.05}, 1.054, "1.054 ×"),
        ({"at_most": 1.05}, 1.046, "1.05 ×"),
        ({"at_most": 0.1}, 1 / 9.97, "9.970 ×"),
        ({"at_most": 0.1}, 1 / 10.02, "10.0 ×"),
        (
            {"ratio": False, "measure": "answered_share", "at_most": None, "at_least": 0.999},
            0.9960,
            "99.6 %",
        ),
        ({"ratio": False, "measure": "p99_ms", "at_most": 0.01}, 0.0104, "0.0104 ms"),
    ],
)
def test_no_rounding_brings_a_figure_to_the_other_side_of_its_bound(
    changes: dict[str, Any], value: float, said: str
) -> None:
    assert f": {said}" in check(criterion(**changes), value, value, value).line


def test_a_figure_of_a_part_of_the_rounds_says_so() -> None:
    found = replace(check(criterion(at_most=2.0), 2.5, 2.1, 3.0, rounds=3), ran=8)
    assert "2.5 × (2.1–3.0; in 3 of 8 rounds); the claim needs" in found.line
    assert "2.5 × (2.1–3.0); the" in replace(found, ran=3).line


def test_cpu_that_explains_another_figure_is_no_reason() -> None:
    """As where two threads share what one had: the rate doubles, the CPU a request does not."""
    faster = {"says": "x", "service": "flask-gthread", "level": "128 connections"}
    one = experiment(scenario="json", parameters={}, criteria=[faster | {"ratio_at_least": 2.0}])
    trials = trials_of([one], change=lambda each: doubled(each, "flask-gthread"))
    [claim] = claims.judge(one, counted(trials), "typical", NAMES)
    assert claim.headline
    assert claim.headline.figure
    assert claim.headline.figure.value > 1.5
    assert "CPU" not in claim.why


def doubled(trial: Trial, service: str) -> Trial:
    """Twice the rate at the same CPU a request, on two cores."""
    if trial.arm != service:
        return trial
    result = replace(
        trial.result,
        answered=2 * trial.result.answered,
        goodput_rps=2 * trial.result.goodput_rps,
    )
    samples = tuple(replace(each, cpu=2 * each.cpu) for each in trial.samples)
    return replace(trial, result=result, samples=samples)


def test_what_is_open_beside_other_comparisons_alone_says_so() -> None:
    seen = Ratio(0.4, 0.24, 0.66, 12, 0.02, 1.0, 0.93)
    told = sentence("goodput_rps", "a", "b", seen, 0.06)
    assert told.endswith("among several comparisons, one may look like this by chance (Holm)")
    assert Finding("e", "l", "goodput_rps", "a", "b", seen, 0.06).short == (
        "open, as one of several (Holm)"
    )


def test_without_enough_rounds_there_is_no_interval() -> None:
    found = check(criterion(), 0.25, 0.2, 0.3, rounds=2)
    assert "4.0 × (2 rounds, too few for an interval)" in found.line


def test_what_was_not_measured_says_what_the_claim_needs() -> None:
    found = Check(criterion(), "not measured", None, names=NAMES, lacking=("flask-gthread",))
    claim = Claim("C4", "x", "taught", "not measured", "typical", (found,))
    assert found.line == "FastAPI ÷ Flask with threads, JSON; the claim needs at least 10 ×"
    assert claim.why == "Without a trial: Flask with threads."


@given(
    st.sampled_from(sorted(MEASURES)),
    st.sampled_from([(0.1, None), (None, 0.1), (0.9, 1.1), (None, 2.0), (1024.0, None)]),
    st.booleans(),
    st.lists(st.floats(0.001, 5000), min_size=3, max_size=3),
)
def test_no_line_denies_and_every_interval_grows(
    measure: str, bounds: tuple[float | None, float | None], ratio: bool, values: list[float]
) -> None:
    """However a ratio is turned, its interval reads from small to large."""
    low, value, high = sorted(values)
    one = criterion(measure=measure, at_least=bounds[0], at_most=bounds[1], ratio=ratio)
    line = check(one, value, low, high).line
    assert not re.search(r"\b(not|no|never|fewer)\b", line)
    numbers = re.search(r"\(([\d.,]+)–([\d.,]+)\)", line)
    assert numbers
    first, last = (float(each.replace(",", "")) for each in numbers.groups())
    assert first <= last


def test_slots_are_the_reason_where_requests_wait() -> None:
    one = experiment()
    claim = claims.judge(one, counted(trials_of([one])), "typical", NAMES)[0]
    assert claim.why == (
        "40 slots (threads) in FastAPI and 12 slots (threads) in Flask with threads, "
        "each taken for 100 ms."
    )


def test_cpu_is_the_reason_where_nothing_waits() -> None:
    faster = {
        "says": "x",
        "service": "flask-gthread",
        "level": "128 connections",
        "ratio_at_most": 0.1,
    }
    one = experiment(scenario="json", parameters={}, criteria=[faster])
    claim = claims.judge(one, counted(trials_of([one])), "typical", NAMES)[0]
    assert re.fullmatch(
        r"A request takes 25\d µs of CPU in FastAPI and 3[12]\d µs in Flask with threads\.",
        claim.why,
    )


def test_an_undecided_claim_says_what_is_open_and_what_could_be_seen() -> None:
    narrow = {
        "says": "x",
        "service": "flask-gthread",
        "level": "128 connections",
        "ratio_at_most": 0.301,
    }
    one = experiment(criteria=[narrow])
    claim = claims.judge(one, counted(trials_of([one])), "typical", NAMES)[0]
    assert claim.word == "undecided"
    assert re.search(r"Open after 6 rounds, this run could see [\d.]+ %: FastAPI ÷", claim.why)


def test_services_are_spoken_of_by_framework_and_model() -> None:
    declared = {
        "fastapi-async": {"framework": "FastAPI", "model": "async"},
        "flask-gthread": {"framework": "Flask", "model": "threads"},
        "node": {"framework": "Fastify", "model": "async"},
        "mine": {},
    }
    assert spoken(declared, declared) == NAMES | {"node": "Node.js", "mine": "mine"}


def test_services_that_would_sound_alike_keep_their_names() -> None:
    declared = {
        "fastapi-async": {"framework": "FastAPI", "model": "async"},
        "fastapi-blocking": {"framework": "FastAPI", "model": "async"},
    }
    assert spoken(declared, declared) == {each: each for each in declared}
