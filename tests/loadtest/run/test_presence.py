"""The gate that tells a service that went away, hung or was paused from one that is only busy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.model.trial import Gate
from loadtest.run.presence import SILENT_S, Look, kept_running
from tests.loadtest.run.test_gates import GOOD

# A warm-up of one second, then ten that count.
ANSWERED = tuple({"t": n / 4, "answered": 100.0} for n in range(-4, 40))
STEADY = tuple(Look(t, t + 0.01, cpu_s=t + 5, workers_ended=0) for t in range(-2, 11))


def gate(looks: Sequence[Look], answered: Sequence[dict[str, float]] = ANSWERED) -> Gate:
    return kept_running(replace(GOOD, timeline=tuple(answered)), looks)


def silent(begin: float, end: float) -> tuple[list[Look], list[dict[str, float]]]:
    """Looks and answers of a service from which nothing came between two moments of the window."""
    looks = [replace(look, ended=end) if begin <= look.began < end else look for look in STEADY]
    return looks, [each for each in ANSWERED if not begin <= each["t"] < end]


def test_a_service_that_was_there_all_through_passes() -> None:
    found = gate(STEADY)
    assert found.passed
    assert found.value == pytest.approx(0.0)
    assert found.limit == SILENT_S


@given(
    pauses=st.lists(st.floats(0.001, 1.2), min_size=1, max_size=40),
    lasting=st.lists(st.floats(0.001, 0.7), min_size=40, max_size=40),
    spent=st.lists(st.floats(0, 9), min_size=40, max_size=40),
)
def test_whenever_it_is_looked_at_a_healthy_service_passes(
    pauses: list[float], lasting: list[float], spent: list[float]
) -> None:
    """Also one that answers nobody, as where all wait for longer than the trial lasts."""
    at, cpu_s = -GOOD.warmup_s - 1, 3.0
    looks: list[Look] = []
    while at < GOOD.duration_s:
        number = len(looks) % len(pauses)
        at, cpu_s = at + pauses[number], cpu_s + spent[number]
        looks.append(Look(at, at + lasting[number], cpu_s, workers_ended=2))
        at += lasting[number]
    assert gate(looks, answered=[]).passed


@given(vain=st.sets(st.integers(1, len(STEADY) - 1)))
def test_looks_in_vain_are_no_fault_of_a_service_that_answers(vain: set[int]) -> None:
    looks = [
        Look(look.began, look.began + 2) if number in vain else look
        for number, look in enumerate(STEADY)
    ]
    assert gate(looks).passed


def test_silence_before_the_warm_up_and_after_the_window_is_no_fault() -> None:
    first = Look(-9, -8.9, cpu_s=1, workers_ended=0)
    last = replace(STEADY[-1], ended=GOOD.duration_s + 5)
    assert gate([first, *STEADY[1:-1], last]).passed


def test_without_metrics_there_is_nothing_to_tell_it_by() -> None:
    for looks in ((), [Look(0, 0.01, away=True)] * 3, [Look(0, 2)] * 3):
        assert gate(looks, answered=[]).passed


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        (
            [*STEADY[:5], *(replace(each, cpu_s=0.1 + each.began / 9) for each in STEADY[5:])],
            "its processes ended and it was started again, seen 3.0 s into the window",
        ),
        (
            [STEADY[0], Look(-0.5, -0.5, away=True), *STEADY[3:]],
            "its processes ended and it was started again, seen in the warm-up",
        ),
        (
            [*STEADY[:5], *(Look(t, t, away=True) for t in range(4, 10))],
            "its processes ended and it did not come back, seen 4.0 s into the window",
        ),
        (
            [*STEADY[:5], *(replace(each, workers_ended=1) for each in STEADY[5:])],
            "a worker process ended, seen 3.0 s into the window",
        ),
        (
            [*STEADY[:8], *(replace(each, workers_ended=3) for each in STEADY[8:])],
            "3 worker processes ended, seen 6.0 s into the window",
        ),
    ],
)
def test_processes_that_end_fail_it_and_are_told(looks: list[Look], told: str) -> None:
    found = gate(looks)
    assert (found.passed, found.detail) == (False, told)


def test_workers_of_a_service_that_was_started_again_are_no_second_event() -> None:
    anew = [replace(each, cpu_s=0.1, workers_ended=0) for each in STEADY[6:]]
    before = [replace(each, workers_ended=4) for each in STEADY[:6]]
    assert gate([*before, *anew]).detail.count("seen") == 1


@pytest.mark.parametrize(("begin", "end"), [(1.5, 4.5), (-1.0, 3.0), (6.0, 10.0)])
def test_a_service_that_is_paused_fails_it_and_the_time_is_told(begin: float, end: float) -> None:
    found = gate(*silent(begin, end))
    assert not found.passed
    assert found.value == pytest.approx(end - begin, abs=0.5)
    assert found.detail.startswith(f"neither answers nor metrics for {found.value:.1f} s")


def test_a_pause_that_is_shorter_than_two_seconds_passes() -> None:
    assert gate(*silent(1.5, 3.25)).passed
