"""Slots out of steps and waves: exact where few and steady, never more sure than is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.probe import growth
from loadtest.probe.record import Wave
from loadtest.probe.slots import group, slots
from tests.loadtest.probe import sightings

WAITS = st.floats(0.01, 3.0)


@given(st.integers(1, 64), WAITS)
def test_the_plateau_alone_tells_the_slots(count: int, wait_s: float) -> None:
    found = slots(sightings.seen(sightings.ramp(count, wait_s, 512)))
    assert found.value == count if count <= 8 else sightings.near(found.value, count, 0.04)
    assert not found.at_least


@given(st.integers(1, 64), WAITS)
def test_waves_tell_them_exactly(count: int, wait_s: float) -> None:
    found = slots(
        sightings.seen(
            sightings.ramp(count, wait_s, 512),
            waves=sightings.waves(count, wait_s, 3 * count + 2),
        )
    )
    assert (found.value, found.high, found.waves) == (count, count, True)
    assert found.low == count if count <= 8 else sightings.near(found.low, count, 0.05)


@given(st.integers(9, 4096), WAITS)
def test_without_a_plateau_there_are_so_many_at_least(count: int, wait_s: float) -> None:
    found = slots(sightings.seen(sightings.ramp(count, wait_s, 8), limit=8))
    assert found.at_least
    assert found.value == 8


def test_a_wave_cut_in_two_tells_slots_that_the_ramp_did_not_reach() -> None:
    steps = sightings.ramp(40, 0.1, 64)
    found = slots(sightings.seen(steps, waves=sightings.waves(40, 0.1, 64), limit=64))
    assert (found.value, found.at_least) == (40, False)


def test_a_wait_that_varies_is_told_by_the_plateau() -> None:
    steps = sightings.ramp(4, 0.1, 64)
    found = slots(sightings.seen(steps, waves=sightings.waves(4, 0.1, 14, jitter=0.5)))
    assert found.value == 4
    assert not found.waves


@given(st.integers(1, 64), st.floats(0.02, 1.0), st.integers(5, 8))
def test_a_rate_does_not_depend_on_where_the_window_ends(
    count: int, wait_s: float, groups: int
) -> None:
    lasts_s = (groups + 0.3) * wait_s
    moments = sightings.ended(count, wait_s, 2 * count, lasts_s)
    assert growth.rate(moments, lasts_s) == pytest.approx(count / wait_s, rel=1e-6)


@given(st.integers(2, 16), st.floats(0.02, 0.5))
def test_a_rate_of_a_wait_that_varies_is_near(count: int, wait_s: float) -> None:
    lasts_s = 60 * wait_s
    moments = sightings.ended(count, wait_s, 2 * count, lasts_s, jitter=0.5)
    assert sightings.near(growth.rate(moments, lasts_s), count / wait_s)


def test_answers_one_after_another_are_no_group() -> None:
    assert group(sightings.spaced(64, 0.001, 0.1), 0.1) is None


def test_one_at_a_time_is_a_group_of_one() -> None:
    assert group(sightings.spaced(5, 0.1, 0.1), 0.1) == 1


def test_a_wave_that_ends_together_is_one_group() -> None:
    assert group(Wave((0.100, 0.101, 0.103)), 0.1) == 3


@pytest.mark.parametrize("took", [(), (0.01, 0.1, 0.1)])
def test_a_wave_whose_first_answer_is_no_answer_to_judge_by_tells_nothing(
    took: tuple[float, ...],
) -> None:
    assert group(Wave(took), 0.1) is None


def test_rates_that_scatter_have_a_plateau_where_requests_queue() -> None:
    steps = (
        *sightings.ramp(40, 0.1, 32),
        *(
            sightings.step(count, rps * 0.1, 0.1)
            for count, rps in ((64, 370), (128, 298), (256, 419))
        ),
    )
    found = slots(sightings.seen(steps))
    assert sightings.near(found.value, 40)
    assert not found.at_least


def test_a_rate_that_grows_ever_more_slowly_has_no_plateau() -> None:
    steps = [sightings.step(4**n, 2**n, 0.1) for n in range(5)]
    assert slots(sightings.seen(steps)).at_least


def test_one_wave_that_is_unlike_the_others_decides_nothing() -> None:
    steps = sightings.ramp(1, 0.05, 64)
    late = Wave((0.076, 0.102, 0.154, 0.203))
    found = slots(sightings.seen(steps, waves=(*sightings.waves(1, 0.05, 4), late)))
    assert (found.low, found.value, found.high) == (1, 1, 1)


def test_a_wave_that_something_else_held_up_is_no_group() -> None:
    assert group(Wave((0.65, 0.651, 0.652)), 0.1) is None


def test_answers_that_a_busy_machine_makes_late_do_not_add_slots() -> None:
    steps = [
        replace(each, mean_s=1.2 * each.mean_s, idle=0.0) if each.connections <= 32 else each
        for each in sightings.ramp(40, 0.1, 256)
    ]
    assert sightings.near(slots(sightings.seen(steps)).value, 40, 0.03)


def test_a_median_that_those_still_waiting_could_change_is_none() -> None:
    took = [0.9 + 0.01 * number for number in range(20)]
    assert growth.median(took, 64) is None
    assert growth.median(took, 1) == took[10]
    assert growth.median(took[:3], 0) is None


@given(st.lists(st.floats(0.01, 10.0), min_size=5, max_size=60), st.integers(0, 60))
def test_a_median_holds_whatever_those_still_waiting_will_take(
    values: list[float], waiting: int
) -> None:
    took = sorted(values)
    known = growth.median(took, waiting)
    if known is not None:
        for late in (0.0, 100.0):
            whole = sorted([*took, *[late] * waiting])
            assert whole[(len(whole) - 1) // 2] >= 0.95 * known - 1e-9
            assert whole[(len(whole) - 1) // 2] <= known + 1e-9
