"""Verdicts as the console has them."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.analysis import claims
from loadtest.report import console
from loadtest.results.runs import counted
from tests.synthetic import experiment, trials_of

HOLDS = {
    "says": "threads stop early",
    "service": "flask-gthread",
    "level": "128 connections",
    "ratio_at_most": 0.5,
}
FAILS = {**HOLDS, "ratio_at_most": 0.1}
OPEN = {**HOLDS, "ratio_at_most": 0.301}


@pytest.mark.parametrize(
    ("criteria", "word"),
    [
        ([HOLDS], "confirmed"),
        ([FAILS], "refuted"),
        ([HOLDS, FAILS], "partly true"),
        ([HOLDS, OPEN], "undecided"),
        ([], "not measured"),
    ],
)
def test_what_became_of_a_claim_is_said_once(criteria: list[dict[str, Any]], word: str) -> None:
    one = experiment(criteria=criteria)
    [claim] = claims.judge(one, counted(trials_of([one])), "as-shipped")
    said = console.verdict(claim).lower()
    assert said.startswith(f"c1: {word}")
    assert said.count(word) == 1
