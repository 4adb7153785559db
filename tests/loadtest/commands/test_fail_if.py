"""Conditions of a probe: what holds, what can't be decided, what can't be read."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.commands.fail_if import ConditionError, condition


def found(**known: Any) -> dict[str, Any]:
    slots = {"value": 6, "low": 6, "high": 6, "at_least": False}
    document = {"slots": slots, "plateau_rps": 60.0, "wait_s": 0.1, "binds": "slots"}
    return document | {"beside": None} | known


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("slots < 8", True),
        ("slots<6", False),
        ("slots >= 6", True),
        ("plateau_rps < 100", True),
        ("wait_s > 0.2", False),
        ("binds == slots", True),
        ("binds != 'one at a time'", True),
        ("binds == 'one at a time'", False),
    ],
)
def test_a_condition_is_met_or_not_and_says_why(text: str, met: bool) -> None:
    holds, why = condition(text).met(found())
    assert holds is met
    assert why.startswith(f"{text}: ")


def test_slots_that_may_be_more_decide_nothing_that_more_would_turn() -> None:
    least = found(slots={"value": 6, "low": 6, "high": 6, "at_least": True})
    assert condition("slots < 8").met(least) == (
        False,
        "slots < 8: not decided, slots is at least 6",
    )
    assert condition("slots > 4").met(least)[0]


def test_a_figure_that_was_not_measured_meets_no_condition() -> None:
    assert condition("beside_s > 1").met(found())[0] is False
    assert condition("beside_s > 1").met(found(beside={"p50_s": 2.0}))[0] is True


@pytest.mark.parametrize(
    "text", ["", "slots", "slots < many", "speed < 4", "binds < cpu", "slots = 4", "< 4"]
)
def test_a_condition_that_cannot_be_read_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ConditionError, match="--fail-if"):
        condition(text)
