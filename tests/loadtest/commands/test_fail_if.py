"""Conditions of a probe: what holds, what can't be decided, what can't be read."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.commands.fail_if import ConditionError, condition, require_beside
from loadtest.probe.record import Bound

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    **{"<": operator.lt, "<=": operator.le, ">": operator.gt},
    **{">=": operator.ge, "==": operator.eq, "!=": operator.ne},
}


def found(**known: Any) -> dict[str, Any]:
    slots = {"value": 6, "low": 6, "high": 6, "at_least": False}
    document = {"slots": slots, "plateau_rps": 60.0, "wait_s": 0.1, "binds": "slots"}
    return document | {"beside": None} | known


def beside(answered: int, failed: int, p50_s: float = 0.002) -> dict[str, Any]:
    return found(beside={"answered": answered, "failed": failed, "p50_s": p50_s})


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
    became, why = condition(text).judged(found())
    assert became == ("failed" if met else "passed")
    assert why.startswith(f"{text}: ")


def test_slots_that_may_be_more_say_so() -> None:
    least = found(slots={"value": 6, "low": 6, "high": 6, "at_least": True})
    assert condition("slots < 8").judged(least) == (
        "not decided",
        "slots < 8: slots is at least 6",
    )


@given(
    st.sampled_from(sorted(SIGNS)),
    st.integers(1, 12),
    st.integers(0, 12),
    st.sampled_from(["slots", "plateau_rps", "beside_s"]),
)
def test_what_may_be_larger_decides_only_what_no_larger_figure_could_turn(
    sign: str, least: int, wanted: int, name: str
) -> None:
    """Compared with every value that it could have up to beyond the one that is asked about."""
    seen = beside(0, 0, float(least)) | {
        "slots": {"value": least, "low": least, "high": least, "at_least": True},
        "plateau_rps": float(least),
        "binds": "nothing yet",
    }
    became, _ = condition(f"{name} {sign} {wanted}").judged(seen)
    possible = {SIGNS[sign](value, wanted) for value in range(least, 14)}
    decided = "failed" if possible == {True} else "passed"
    assert became == ("not decided" if len(possible) > 1 else decided)


@pytest.mark.parametrize(
    ("seen", "became", "told"),
    [
        (beside(10, 0), "passed", "beside_s is 0.002"),
        (beside(10, 0, 0.3), "failed", "beside_s is 0.3"),
        (beside(0, 5, 0.0), "failed", "beside_s is endless: 5 of 5 requests failed"),
        (beside(4, 5), "failed", "beside_s is endless: 5 of 9 requests failed"),
        (beside(5, 4), "passed", "beside_s is 0.002"),
        (beside(0, 0, 0.3), "failed", "beside_s is at least 0.3"),  # one that has waited so long
        (beside(0, 0, 0.05), "not decided", "beside_s is at least 0.05"),
        (beside(0, 0, 0.0), "not measured", "beside_s was not measured"),
        (found(), "not measured", "beside_s was not measured"),
    ],
)
def test_a_light_request_that_fails_or_does_not_end_is_no_quick_one(
    seen: dict[str, Any], became: str, told: str
) -> None:
    assert condition("beside_s > 0.1").judged(seen) == (became, f"beside_s > 0.1: {told}")


def test_a_light_request_that_fails_meets_no_condition_of_a_quick_one() -> None:
    assert condition("beside_s < 0.1").judged(beside(0, 5, 0.0))[0] == "passed"


def test_a_condition_about_a_light_request_needs_one() -> None:
    conditions = [condition("slots < 8"), condition("beside_s > 0.1")]
    require_beside(conditions[:1], "--beside /PATH")
    with pytest.raises(ConditionError, match=r"'beside_s > 0\.1': beside_s needs --beside /PATH"):
        require_beside(conditions, "--beside /PATH")


@pytest.mark.parametrize("name", get_args(Bound))
def test_each_name_of_what_binds_is_known(name: str) -> None:
    assert condition(f"binds == {name}").judged(found(binds=name))[0] == "failed"


@pytest.mark.parametrize(
    "text",
    [
        *("", "slots", "slots < many", "speed < 4", "binds < cpu", "slots = 4", "< 4"),
        *("slots < nan", "slots > inf", "wait_s > -inf", "binds == slot", "binds != none"),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ConditionError, match="--fail-if"):
        condition(text)
