from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from loadtest.model.load import SLICE_S, Load, LoadResult
from loadtest.run import gates
from loadtest.run.witnesses import steadiness
from tests.loadtest.run.test_gates import GOOD


def counted(counts: Sequence[float], begin: float = 0.0) -> LoadResult:
    timeline = tuple(
        {"t": begin + place * SLICE_S, "answered": count, "failed": 0.0}
        for place, count in enumerate(counts)
    )
    return replace(GOOD, timeline=timeline, duration_s=begin + len(counts) * SLICE_S)


def slowing(share_a_second: float, seconds: float, noise: float = 0.02) -> list[float]:
    drawn = random.Random(3)
    return [
        500 * drawn.gauss(1 - share_a_second * place * SLICE_S, noise)
        for place in range(round(seconds / SLICE_S))
    ]


@pytest.mark.parametrize(
    ("counts", "passed"),
    [
        (slowing(0.0, 1.5), True),
        (slowing(0.01, 1.5), True),  # 1.5 %: no window of this length can tell
        (slowing(0.01, 5.0), True),
        (slowing(0.01, 20.0), False),
        (slowing(0.2, 1.5), False),
        (slowing(-0.2, 1.5), False),  # it is still warming up
        ([400, 0, 0, 400, 0, 0, 400, 0], True),  # waves
        ([400, 0], True),
        ([0] * 8, True),
    ],
)
def test_a_figure_that_changes_in_the_window_is_seen(counts: Sequence[float], passed: bool) -> None:
    assert steadiness.steady(counted(counts)).passed is passed


def test_the_warm_up_does_not_count() -> None:
    assert steadiness.steady(counted([10, 500, *[1000] * 8], begin=-2 * SLICE_S)).passed


def test_steady_traffic_with_noise_is_seldom_called_changing() -> None:
    drawn = random.Random(5)
    found = [
        steadiness.steady(counted([drawn.gauss(2000, 200) for _ in range(6)])).passed
        for _ in range(1000)
    ]
    assert found.count(False) <= 5


@pytest.mark.parametrize(
    ("load", "judged"),
    [(Load("closed", 8), True), (Load("open", 64, 100.0), False), (Load("held", 64), False)],
)
def test_only_a_load_whose_figure_is_its_throughput_is_judged(load: Load, judged: bool) -> None:
    names = [gate.name for gate in gates.check(load, GOOD, ceiling_rps=None)]
    assert (steadiness.STEADY_FIGURE in names) is judged
