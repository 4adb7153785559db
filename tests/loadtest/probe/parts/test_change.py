"""Whether a service takes what it took: a change is seen, and chance is none."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.probe.parts.change import changed
from loadtest.probe.record import Step
from tests.loadtest.probe.sightings import step

WAIT_S = 0.06
NEAR = st.lists(st.floats(0.9 * WAIT_S, 1.1 * WAIT_S), min_size=2, max_size=40)


def first(took: Sequence[float], idle: float = 1.0) -> Step:
    """The first step, of requests that took so long one after another."""
    return replace(
        step(1, 1, statistics.fmean(took)),
        answered=len(took),
        spread_s=statistics.stdev(took),
        p50_s=sorted(took)[len(took) // 2],
        idle=idle,
    )


@given(NEAR, NEAR)
def test_about_the_same_is_no_change(before: list[float], now: list[float]) -> None:
    assert changed(first(before), now) is None


@pytest.mark.parametrize("now_s", [0.01, 0.04, 0.08, 2.0])
@pytest.mark.parametrize("answers", [2, 4, 20])
def test_another_wait_is_a_change_however_few_answers_tell(now_s: float, answers: int) -> None:
    assert changed(first([WAIT_S] * 5), [now_s] * answers) == pytest.approx((WAIT_S, now_s))


def test_an_answer_that_is_late_is_no_change() -> None:
    late = [WAIT_S] * 7 + [1.0]
    assert changed(first(late), [WAIT_S] * 20) is None
    assert changed(first([WAIT_S] * 8), late) is None


def test_a_difference_of_a_millisecond_is_none() -> None:
    assert changed(first([0.001] * 50), [0.0025] * 20) is None


@given(st.integers(4, 40), st.data())
def test_a_service_that_grew_warm_in_its_first_step_is_seen(slow: int, data: st.DataObject) -> None:
    """Most of its answers were quick already, so that medians are the same."""
    quick = data.draw(st.integers(slow + 1, 9 * slow))
    before = [WAIT_S] * slow + [0.01] * quick
    assert changed(first(before), [0.01] * 20) == pytest.approx((statistics.fmean(before), 0.01))


def test_of_a_crowded_machine_medians_alone_tell() -> None:
    """There slots follow from the median, as single answers are late."""
    before = first([WAIT_S] * 20 + [0.01] * 30, idle=0.1)
    assert changed(before, [0.01] * 20) is None
    assert changed(before, [0.02] * 20) == pytest.approx((0.01, 0.02))
