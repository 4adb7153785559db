"""Latencies read back exactly enough from what a trial keeps of them."""

from __future__ import annotations

from dataclasses import replace

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


# Of all sorts: wild, all alike, in a few waves.
answered = st.one_of(
    [
        st.lists(each, min_size=30, max_size=300)
        for each in (st.floats(1e-4, 5), st.floats(0.1, 0.104), st.sampled_from((0.1, 0.2, 0.9)))
    ]
)
later = st.lists(st.floats(1e-4, 60), max_size=300)


@given(answered, later, st.sampled_from([10.0, 25.0, 50.0, 75.0, 90.0]))
def test_no_request_that_waits_changes_a_percentile_that_is_shown(
    ended: list[float], waiting: list[float], which: float
) -> None:
    """Whatever they turn out to take; where that is longer, the figure itself stays."""
    known = latencies.read(_encoded(ended))
    shown = replace(known, waiting=len(waiting)).percentile(which)
    truth = _exactly(sorted(ended + waiting), which)
    if shown is None:
        return
    assert shown.requests == len(ended)
    if shown.low_ms is not None and shown.high_ms is not None:
        assert shown.low_ms * 0.998 <= truth <= shown.high_ms * 1.002
    assert 0.948 * shown.ms <= truth <= shown.ms * 1.002
    if all(each * 1000 >= shown.ms for each in waiting):
        assert shown.ms == pytest.approx(truth, rel=0.002, abs=0.002)


@given(answered, st.integers(1, 600), st.floats(10, 99))
def test_a_percentile_beyond_those_that_ended_is_not_shown(
    ended: list[float], waiting: int, which: float
) -> None:
    found = replace(latencies.read(_encoded(ended)), waiting=waiting)
    share = 100 * waiting / (waiting + len(ended))
    if which >= 100 - share or which <= share:
        assert found.percentile(which) is None


def _exactly(seconds: list[float], which: float) -> float:
    return seconds[max(1, int(which / 100 * len(seconds) + 0.5)) - 1] * 1000


def test_merging_loses_nothing() -> None:
    parts = [[0.001] * 40, [0.002, 0.5], [0.001]]
    together = latencies.merged([_encoded(part) for part in parts])
    alone = latencies.read(_encoded([value for part in parts for value in part]))
    assert together.total == alone.total == 43
    assert together.buckets.tolist() == alone.buckets.tolist()
    assert together.counts.tolist() == alone.counts.tolist()
    assert latencies.merged([]).total == 0
