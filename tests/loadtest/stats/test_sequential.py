"""Looks before the end: together they err as often as one look would, and not more."""

from __future__ import annotations

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.stats.inference import compare
from loadtest.stats.sequential import FIXED, Stage, levels, spent

LOOKS = (3, 4, 6, 8, 12)
RUNS = 100_000
DESIGNS = st.lists(st.integers(2, 12), min_size=1, max_size=5, unique=True).map(
    lambda looks: tuple(sorted(looks))
)


@pytest.fixture(scope="module")
def noise() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.random.default_rng(8).standard_normal((RUNS, 12))


def erring(
    noise: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    looks: tuple[int, ...],
    tried: tuple[float, ...],
) -> list[float]:
    """The share of runs without any difference in which one was found, up to each look."""
    called, found = np.zeros(len(noise), dtype=bool), []
    for rounds, level in zip(looks, tried, strict=True):
        seen = noise[:, :rounds]
        t = np.abs(seen.mean(axis=1)) / seen.std(axis=1, ddof=1) * np.sqrt(rounds)
        called |= t > scipy.stats.t.isf(level / 2, rounds - 1)
        found.append(float(called.mean()))
    return found


@pytest.mark.parametrize("looks", [LOOKS, (3, 4, 6), tuple(range(3, 13))])
@pytest.mark.parametrize("alpha", [0.05, 0.1])
def test_every_look_spends_what_it_may(
    noise: np.ndarray[tuple[int, ...], np.dtype[np.float64]], looks: tuple[int, ...], alpha: float
) -> None:
    allowed = [spent(rounds / looks[-1], alpha) for rounds in looks]
    found = erring(noise, looks, levels(looks, alpha))
    assert found == pytest.approx(allowed, abs=4 * (alpha / RUNS) ** 0.5)
    assert allowed[-1] == pytest.approx(alpha)


def test_looking_five_times_at_one_level_would_err_three_times_as_often(
    noise: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> None:
    assert erring(noise, LOOKS, (0.05,) * 5)[-1] == pytest.approx(0.155, abs=0.005)


@settings(max_examples=30)  # each design takes a table of many integrals
@given(DESIGNS, st.data(), st.floats(1e-9, 1.0))
def test_an_overall_p_value_is_below_a_level_exactly_where_the_look_decides(
    looks: tuple[int, ...], data: st.DataObject, p: float
) -> None:
    stage = Stage(looks, data.draw(st.integers(1, len(looks))))
    alpha = data.draw(st.sampled_from([0.05, 0.1, 0.05 / 3]))
    level = stage.level(alpha)
    assert stage.overall(p) >= p
    if abs(p / level - 1) > 0.03:  # between the known levels it is interpolated
        assert (stage.overall(p) < alpha) == (p < level)


@settings(max_examples=30)  # each design takes a table of many integrals
@given(DESIGNS, st.data(), st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_overall_p_values_keep_the_order(
    looks: tuple[int, ...], data: st.DataObject, p_values: list[float]
) -> None:
    stage = Stage(looks, data.draw(st.integers(1, len(looks))))
    found = [stage.overall(p) for p in sorted(p_values)]
    assert found == sorted(found)
    assert all(0 <= p <= 1 for p in found)


def test_a_fixed_number_of_rounds_is_a_design_of_one_look() -> None:
    assert (FIXED.level(0.05), FIXED.overall(0.03)) == (0.05, 0.03)
    assert levels((12,), 0.05) == pytest.approx((0.05,), rel=1e-3)


def test_a_comparison_at_a_look_is_wider_and_its_p_values_are_larger() -> None:
    service = {1: 1.02, 2: 1.05, 3: 1.04, 4: 1.06}
    reference = dict.fromkeys(service, 1.0)
    plain, looked = compare(service, reference), compare(service, reference, Stage(LOOKS, 2))
    assert plain
    assert looked
    assert looked.low < plain.low < plain.value == looked.value < plain.high < looked.high
    assert looked.p_different > plain.p_different
    assert looked.p_equivalent > plain.p_equivalent
    assert looked.detectable > plain.detectable
    assert (looked.p_different < 0.05) == (not looked.low <= 1 <= looked.high)
