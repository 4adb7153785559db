"""Latencies counted in HdrHistogram's own buckets, thousands at a time.

`hdrh` records one value in about two microseconds, a third of what a whole request may cost.
The bucket of a value is plain arithmetic, so numpy does it for a batch; the format, the
percentiles and the merging stay HdrHistogram's (github.com/HdrHistogram/HdrHistogram).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

LOWEST_US, HIGHEST_US, DIGITS = 1, 3_600_000_000, 3
HALF_BITS = 10  # 2 · 10³ values need 2¹¹ sub-buckets, half of them new in each bucket
_SIZE = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS).counts_len

Counts = NDArray[np.int64]


def buckets(values_us: Counts) -> Counts:
    """The bucket of each value; values outside 0…1 hour count as the nearest one inside."""
    values = np.clip(values_us, 0, HIGHEST_US)
    bit_lengths = np.frexp(values.astype(np.float64))[1]
    shift = np.maximum(bit_lengths - (HALF_BITS + 1), 0)
    found: Counts = (shift << HALF_BITS) + (values >> shift)
    return found


def value_of(bucket: int) -> int:
    """The largest value in µs that falls in `bucket`."""
    shift = max((bucket >> HALF_BITS) - 1, 0)
    return ((bucket - (shift << HALF_BITS) + 1) << shift) - 1


class Histogram:
    """Counts by bucket; merges without loss, leaves as HdrHistogram V2 base64."""

    def __init__(self) -> None:
        self.counts: Counts = np.zeros(_SIZE, dtype=np.int64)

    def add_seconds(self, seconds: Sequence[float]) -> None:
        """Count latencies given in seconds."""
        if seconds:
            values = (np.array(seconds) * 1e6).astype(np.int64)
            self.counts += np.bincount(buckets(values), minlength=_SIZE)

    def merge(self, other: Histogram) -> None:
        """Add every count of `other`."""
        self.counts += other.counts

    @property
    def total(self) -> int:
        """How many values there are."""
        return int(self.counts.sum())

    def sparse(self) -> dict[int, int]:
        """The buckets that hold something, for a message between processes."""
        filled = np.flatnonzero(self.counts)
        return dict(zip(filled.tolist(), self.counts[filled].tolist(), strict=True))

    def add_sparse(self, counts: Mapping[int, int]) -> None:
        """Add what `sparse` of another histogram gave."""
        for bucket, count in counts.items():
            self.counts[bucket] += count

    def percentile_us(self, percent: float) -> int:
        """The value in µs below or at which `percent` of the values lie; 0 where there is none."""
        cumulative = self.counts.cumsum()
        if not cumulative[-1]:
            return 0
        wanted = max(int(percent / 100 * cumulative[-1] + 0.5), 1)
        return value_of(int(np.searchsorted(cumulative, wanted)))

    def to_hdr(self) -> Any:
        """The same counts as an `hdrh` histogram."""
        histogram = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
        for bucket, count in self.sparse().items():
            histogram.record_value(value_of(bucket), count)
        return histogram

    def encode(self) -> str:
        """HdrHistogram V2, base64, zlib-compressed."""
        encoded: bytes = self.to_hdr().encode()
        return encoded.decode("ascii")


def decode(encoded: str) -> Any:
    """The `hdrh` histogram in `encoded`."""
    return HdrHistogram.decode(encoded.encode("ascii"))


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """One histogram with the counts of all."""
    total = Histogram()
    for histogram in histograms:
        total.merge(histogram)
    return total
