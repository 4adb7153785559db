"""Statistics: simulated truth, known tables, and open input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.stats import inference
from loadtest.stats.inference import Ratio, compare
from loadtest.stats.sequential import Stage

RUNS, ROUNDS = 2000, 6
NOISE, DRIFT = 0.05, 0.05  # of the logarithm: of each trial, and of the machine between rounds


def _simulated(truth: float, rounds: int = ROUNDS, seed: int = 1) -> list[Ratio]:
    """Runs of two services of which one is `truth` times as fast, on a machine that drifts."""
    rng = np.random.default_rng(seed)
    shape = (RUNS, rounds)
    drift = np.cumsum(rng.normal(0, DRIFT, shape), axis=1)
    service = np.exp(math.log(truth) + drift + rng.normal(0, NOISE, shape))
    reference = np.exp(drift + rng.normal(0, NOISE, shape))
    compared = [
        compare(dict(enumerate(mine.tolist())), dict(enumerate(other.tolist())))
        for mine, other in zip(service, reference, strict=True)
    ]
    return [each for each in compared if each]


@pytest.fixture(scope="module")
def identical() -> list[Ratio]:
    return _simulated(1.0)


def test_identical_services_are_rarely_called_different(identical: list[Ratio]) -> None:
    assert len(identical) == RUNS
    assert sum(each.p_different < 0.05 for each in identical) / RUNS <= 0.07


def test_intervals_cover_the_truth_as_often_as_they_promise(identical: list[Ratio]) -> None:
    assert 0.93 <= sum(each.low <= 1 <= each.high for each in identical) / RUNS <= 0.97


def test_a_true_difference_is_found_as_often_as_the_stated_power() -> None:
    spread = NOISE * math.sqrt(2)
    rounds = next(
        n for n in range(3, 20) if math.expm1(spread * inference.detectable_factor(n)) <= 0.2
    )
    found = _simulated(math.exp(spread * inference.detectable_factor(rounds)), rounds)
    assert sum(each.p_different < 0.05 for each in found) / RUNS == pytest.approx(0.8, abs=0.03)
    bigger = _simulated(1.2, rounds)
    assert sum(each.p_different < 0.05 for each in bigger) / RUNS >= 0.78


def test_equivalence_is_rarely_claimed_of_a_service_at_the_margin() -> None:
    at_margin = _simulated(1.05, rounds=12)
    assert sum(each.equivalent for each in at_margin) / RUNS <= 0.07


def test_the_smallest_detectable_effect_is_that_of_the_noncentral_t() -> None:
    factors = [round(inference.detectable_factor(n), 2) for n in (6, 8, 12, 20)]
    assert factors == [1.43, 1.16, 0.89, 0.66] or factors == [1.44, 1.16, 0.89, 0.66]


def test_a_comparison_pairs_the_rounds_that_both_have() -> None:
    found = compare({1: 20.0, 2: 42.0, 4: 9.0}, {1: 10.0, 2: 21.0, 3: 7.0})
    assert found is not None
    assert found.rounds == 2
    assert found.value == pytest.approx(2)
    assert found.inverse().value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("service", "reference"),
    [({1: 5.0}, {1: 4.0}), ({1: 5.0, 2: 0.0}, {1: 4.0, 2: 4.0}), ({}, {}), ({1: 1.0}, {2: 1.0})],
)
def test_nothing_is_compared_that_cannot_be(
    service: dict[int, float], reference: dict[int, float]
) -> None:
    assert compare(service, reference) is None


@given(
    st.dictionaries(st.integers(1, 20), st.floats(1e-3, 1e6), max_size=12),
    st.dictionaries(st.integers(1, 20), st.floats(1e-3, 1e6), max_size=12),
)
def test_a_comparison_holds_together_whatever_the_figures(
    service: dict[int, float], reference: dict[int, float]
) -> None:
    found = compare(service, reference)
    if found is None:
        assert len(service.keys() & reference.keys()) < 2
        return
    assert found.low <= found.value * (1 + 1e-9)
    assert found.value <= found.high * (1 + 1e-9)
    assert 0 <= found.p_different <= 1
    assert 0 <= found.p_equivalent <= 1
    assert found.detectable >= 0


def test_holm_adjusts_stepwise() -> None:
    """Example of Holm 1979 as R's p.adjust computes it."""
    adjusted = inference.holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert adjusted == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_never_lowers(p_values: list[float]) -> None:
    named = {str(place): p for place, p in enumerate(p_values)}
    adjusted = inference.holm(named)
    assert all(1 >= adjusted[name] >= p for name, p in named.items())
    ranked = sorted(named, key=lambda name: named[name])
    assert [adjusted[name] for name in ranked] == sorted(adjusted.values())


def test_a_slope_is_found_among_wild_points() -> None:
    rng = np.random.default_rng(3)
    x = np.repeat([1, 250, 500, 1000, 2000], 6).astype(float)
    y = 60_000 + 25 * x + rng.normal(0, 200, len(x))
    y[::7] *= 3
    found = inference.slope(x.tolist(), y.tolist())
    assert found is not None
    assert found.slope == pytest.approx(25, rel=0.02)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_a_share_lies_between_nothing_and_the_whole(values: list[float]) -> None:
    mean, low, high = inference.interval(values, logarithmic=False, share=True)
    assert 0 <= low <= mean + 1e-12
    assert mean - 1e-12 <= high <= 1


def test_slope_intervals_cover_the_truth_though_loads_repeat() -> None:
    rng = np.random.default_rng(4)
    x = np.repeat([1.0, 500.0, 1000.0, 2000.0], 6)
    covered = 0
    for _ in range(400):
        found = inference.slope(x.tolist(), (3 * x + rng.normal(0, 100, len(x))).tolist())
        covered += found is not None and found.low <= 3 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_slopes_at_looks_cover_the_truth_with_two_loads_as_well() -> None:
    rng = np.random.default_rng(5)
    loads, looks, missed = [1.0, 500.0], (3, 4, 6, 8, 12), 0
    for _ in range(300):
        rounds = [[3 * x + float(rng.normal(0, 100)) for x in loads] for _ in range(12)]
        lines = [found for y in rounds if (found := inference.slope(loads, y))]
        stages = [Stage(looks, place) for place in range(1, len(looks) + 1)]
        seen = [inference.looked_at(lines[0], lines[: each.rounds], each) for each in stages]
        missed += any(not each.low <= 3 <= each.high for each in seen)
    assert missed / 300 <= 0.08


def test_a_flat_line_has_the_slope_zero() -> None:
    found = inference.slope([1, 1, 2, 2, 3, 3], [4.0] * 6)
    assert found is not None
    assert (found.slope, found.low, found.high, found.intercept) == (0, 0, 0, 4)
    assert inference.slope([5, 5], [1, 2]) is None


@given(
    st.lists(st.integers(1, 2000), min_size=2, max_size=5, unique=True),
    st.integers(1, 6),
    st.data(),
)
def test_a_slope_of_whole_numbers_lies_within_its_limits(
    loads: list[int], rounds: int, data: st.DataObject
) -> None:
    """Threads are counted: most values are tied, as the loads are."""
    x = [float(load) for load in loads for _ in range(rounds)]
    y = data.draw(st.lists(st.integers(0, 3), min_size=len(x), max_size=len(x)))
    found = inference.slope(x, [float(each) for each in y])
    assert found is not None
    assert found.low <= found.slope <= found.high


def test_a_count_that_hardly_ever_moves_is_not_said_to_grow() -> None:
    found = inference.slope([1.0] * 9 + [500.0] * 9, [4.0] * 17 + [5.0])
    assert found is not None
    assert found.slope == 0
    assert found.low <= 0 <= found.high


@pytest.mark.parametrize(
    ("count", "percentile", "printed"),
    [
        (2_999, 99.0, False),
        (3_000, 99.0, True),
        (9_999, 99.9, False),
        (10_000, 99.9, True),
        (29, 50.0, False),
        (30, 50.0, True),
        (10_000, 99.99, False),
        (10**9, 100.0, False),
    ],
)
def test_a_percentile_needs_requests_beyond_it(
    count: int, percentile: float, printed: bool
) -> None:
    assert inference.enough(count, percentile) is printed


def test_percentile_limits_cover_the_truth() -> None:
    rng = np.random.default_rng(6)
    ranks = inference.percentile_ranks(3000, 99.0)
    assert ranks is not None
    samples = np.sort(rng.exponential(size=(1000, 3000)), axis=1)
    truth = -math.log(0.01)
    covered = (samples[:, ranks[0] - 1] <= truth) & (truth <= samples[:, ranks[1] - 1])
    assert 0.93 <= covered.mean() <= 0.975
    assert inference.percentile_ranks(100, 99.0) is None
