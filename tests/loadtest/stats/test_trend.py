from __future__ import annotations

import random

import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from loadtest.stats.trend import trend


@given(
    st.floats(-0.9, 2.0),
    st.integers(3, 100),
)
def test_a_straight_line_is_found_as_it_is(change: float, count: int) -> None:
    step = change / count
    found = trend([1000 * (1 + step * (place - (count - 1) / 2)) for place in range(count)])
    assert found.change == pytest.approx(change, abs=1e-9)
    assert found.p == pytest.approx(0.0 if abs(change) > 1e-6 else found.p, abs=1e-6)


@given(st.lists(st.integers(1, 10_000), min_size=3, max_size=50))
def test_slope_and_chance_are_those_of_scipy(values: list[int]) -> None:
    found, known = trend(values), scipy.stats.linregress(range(len(values)), values)
    mean = sum(values) / len(values)
    assert found.change == pytest.approx(known.slope * len(values) / mean, abs=1e-9)
    if abs(known.rvalue) < 1 - 1e-9:
        assert found.p == pytest.approx(known.pvalue, abs=1e-6)


def test_noise_is_called_a_trend_as_seldom_as_it_says() -> None:
    drawn = random.Random(1)
    found = [trend([drawn.gauss(1000, 50) for _ in range(6)]).p < 0.05 for _ in range(4000)]
    assert 0.04 < sum(found) / len(found) < 0.06


def test_two_values_have_no_trend() -> None:
    with pytest.raises(ValueError, match="3 values"):
        trend([1, 2])
