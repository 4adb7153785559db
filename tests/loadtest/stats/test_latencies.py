"""Latencies read back exactly enough from what a trial keeps of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.stats import latencies
from loadtest.stats.histogram import Histogram


def _encoded(seconds: list[float]) -> str:
    histogram = Histogram()
    histogram.add_seconds(seconds)
    return histogram.encode()


@given(st.lists(st.floats(1e-5, 60), min_size=30, max_size=200))
def test_percentiles_and_mean_are_within_a_thousandth(seconds: list[float]) -> None:
    found = latencies.read(_encoded(seconds))
    assert found.total == len(seconds)
    median = found.percentile(50.0)
    assert median is not None
    wanted = sorted(seconds)[int(len(seconds) / 2 + 0.5) - 1] * 1000
    assert median.ms == pytest.approx(wanted, rel=0.002, abs=0.002)
    assert found.mean_us == pytest.approx(float(np.mean(seconds)) * 1e6, rel=0.002, abs=2)


def test_limits_of_a_percentile_hold_it() -> None:
    rng = np.random.default_rng(2)
    found = latencies.read(_encoded(rng.exponential(0.01, 5000).tolist())).percentile(99.0)
    assert found is not None
    assert found.low_ms is not None
    assert found.high_ms is not None
    assert found.low_ms < found.ms < found.high_ms
    assert found.low_ms < 46.05 < found.high_ms


def test_a_percentile_with_too_few_requests_is_not_printed() -> None:
    assert latencies.read(_encoded([0.1] * 2999)).percentile(99.0) is None
    assert latencies.read(_encoded([])).percentile(50.0) is None


def test_merging_loses_nothing() -> None:
    parts = [[0.001] * 40, [0.002, 0.5], [0.001]]
    together = latencies.merged([_encoded(part) for part in parts])
    alone = latencies.read(_encoded([value for part in parts for value in part]))
    assert together.total == alone.total == 43
    assert together.buckets.tolist() == alone.buckets.tolist()
    assert together.counts.tolist() == alone.counts.tolist()
    assert latencies.merged([]).total == 0
