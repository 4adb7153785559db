"""Percentiles of the last ten seconds, as a service and as the load tell them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.metrics import recent as service
from lab.metrics.store import BOUNDS_S
from loadtest.generator import recent as load
from loadtest.stats.histogram import Histogram

# What was counted so far, and a moment: the quantiles.
Tell = Callable[[Sequence[float]], dict[float, float]]


class Clock:
    """Stands still until somebody sets it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def of_a_service(clock: Clock) -> Tell:
    recent = service.Recent(clock)

    def tell(seconds: Sequence[float]) -> dict[float, float]:
        counts = [0.0] * service.FINE_SIZE
        for each in seconds:
            counts[service.fine(each)] += 1
        return recent.quantiles(counts)

    return tell


def of_the_load(clock: Clock) -> Tell:
    recent = load.Recent(clock)

    def tell(seconds: Sequence[float]) -> dict[float, float]:
        histogram = Histogram()
        histogram.add_seconds(seconds)
        return recent.quantiles(histogram)

    return tell


both = pytest.mark.parametrize("side", [of_a_service, of_the_load])


def test_the_fine_buckets_are_narrow_and_hold_the_standard_ones() -> None:
    assert set(BOUNDS_S) <= set(service.FINE_S)
    assert service.FINE_S[0] <= 50e-6
    assert all(1 < high / low <= 1.021 for low, high in pairwise(service.FINE_S))


@both
@given(st.lists(st.floats(min_value=20e-6, max_value=90), min_size=1, max_size=200))
def test_a_quantile_is_within_three_percent_of_the_truth(
    side: Callable[[Clock], Tell], seconds: list[float]
) -> None:
    shown = side(Clock())(seconds)
    ranked = sorted(seconds)
    assert set(shown) == {0.5, 0.95, 0.99}
    for share, found in shown.items():
        # Between two values any value is a quantile; at a value it is that value.
        places = {int(share * len(ranked) + shift) for shift in (-1.5, -1, -0.5, 0, 0.5)}
        nearest = [ranked[min(max(place, 0), len(ranked) - 1)] for place in places]
        assert 0.97 * min(nearest) - 2e-6 <= found <= 1.03 * max(nearest)


@both
def test_nothing_waited_shows_as_less_than_50_microseconds(side: Callable[[Clock], Tell]) -> None:
    assert max(side(Clock())([3e-6] * 10).values()) < 50e-6


@both
def test_ten_seconds_later_it_is_forgotten(side: Callable[[Clock], Tell]) -> None:
    clock = Clock()
    tell = side(clock)
    for second in range(1, 30):
        clock.now = float(second)
        old = [0.1] * 100
        shown = tell(old if second < 15 else [*old, 2.0])
        if second <= 10:
            assert shown[0.5] == pytest.approx(0.1, rel=0.03)
        elif second < 15 or second >= 25:
            assert shown == {}
        else:
            assert shown[0.5] == pytest.approx(2.0, rel=0.03)


@both
def test_after_a_silence_an_hour_is_no_ten_seconds(side: Callable[[Clock], Tell]) -> None:
    clock = Clock()
    tell = side(clock)
    clock.now = 3600
    assert tell([5.0] * 100) == {}
    clock.now = 3602
    assert tell([5.0] * 100 + [0.1] * 10)[0.5] == pytest.approx(0.1, rel=0.03)


@both
def test_many_who_ask_change_nothing(side: Callable[[Clock], Tell]) -> None:
    clock = Clock()
    tell = side(clock)
    seconds: list[float] = []
    for hundredth in range(3000):
        clock.now = hundredth / 100
        seconds.append(0.1 if hundredth < 1500 else 0.4)
        shown = tell(seconds)
    assert shown[0.5] == pytest.approx(0.4, rel=0.03)
    assert shown[0.99] == pytest.approx(0.4, rel=0.03)
