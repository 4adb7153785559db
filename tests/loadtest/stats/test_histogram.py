from __future__ import annotations

import numpy as np
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from loadtest.stats.histogram import (
    DIGITS,
    HIGHEST_US,
    LOWEST_US,
    Histogram,
    buckets,
    decode,
    merged,
    value_of,
)

MICROSECONDS = st.integers(0, HIGHEST_US) | st.integers(0, 5000)


def hdr(values: list[int]) -> HdrHistogram:
    histogram = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
    for value in values:
        histogram.record_value(value)
    return histogram


def ours(values: list[int]) -> Histogram:
    histogram = Histogram()
    histogram.add_seconds([value / 1e6 + 1e-7 for value in values])  # clear of rounding down
    return histogram


@given(st.lists(MICROSECONDS, min_size=1, max_size=200))
def test_buckets_are_those_of_hdrhistogram(values: list[int]) -> None:
    reference = hdr([])
    expected = [reference._counts_index_for(value) for value in values]
    assert buckets(np.array(values, dtype=np.int64)).tolist() == expected
    assert [reference._counts_index_for(value_of(bucket)) for bucket in expected] == expected


@given(st.lists(MICROSECONDS, min_size=1, max_size=200), st.floats(0.1, 100))
def test_percentiles_are_those_of_hdrhistogram(values: list[int], percent: float) -> None:
    expected = hdr(values).get_value_at_percentile(percent)
    assert ours(values).percentile_us(percent) == expected
    assert decode(ours(values).encode()).get_value_at_percentile(percent) == expected


@given(st.lists(st.lists(MICROSECONDS, max_size=50), max_size=5))
def test_merging_loses_nothing(parts: list[list[int]]) -> None:
    whole = ours([value for part in parts for value in part])
    together = merged(ours(part) for part in parts)
    carried = Histogram()
    for part in parts:
        carried.add_sparse(ours(part).sparse())
    assert together.sparse() == carried.sparse() == whole.sparse()
    assert whole.total == sum(map(len, parts))


def test_what_takes_longer_than_an_hour_counts_as_an_hour() -> None:
    histogram = Histogram()
    histogram.add_seconds([-1.0, 4000.0])
    assert histogram.total == 2
    assert histogram.percentile_us(100) >= HIGHEST_US


def test_an_empty_histogram() -> None:
    assert Histogram().percentile_us(99) == 0
    assert decode(Histogram().encode()).total_count == 0
