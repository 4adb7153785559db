"""Latencies read back from a trial: the filled buckets of an HdrHistogram, and what they tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from loadtest.stats.histogram import HALF_BITS, decode
from loadtest.stats.inference import enough, percentile_ranks


@dataclass(frozen=True)
class Percentile:
    """A percentile in milliseconds with its 95 % limits, which are None where they can't be had."""

    ms: float
    low_ms: float | None
    high_ms: float | None
    requests: int


@dataclass(frozen=True, eq=False)
class Latencies:
    """Filled buckets in rising order, and how many requests fell in each."""

    buckets: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def total(self) -> int:
        """How many requests there are."""
        return int(self.counts.sum())

    @property
    def mean_us(self) -> float:
        """Mean in µs, each bucket at its middle; 0 where there is none."""
        shift, top = self._tops()
        middle = top - ((1 << shift) - 1) / 2
        return float((middle * self.counts).sum() / self.total) if self.total else 0.0

    def percentile(self, which: float) -> Percentile | None:
        """A percentile with its order-statistic limits; None with too few requests to print one."""
        count = self.total
        if not enough(count, which):
            return None
        ranks = percentile_ranks(count, which)
        low, high = (self._at(ranks[0]), self._at(ranks[1])) if ranks else (None, None)
        wanted = max(1, int(which / 100 * count + 0.5))
        return Percentile(self._at(wanted), low, high, count)

    def _at(self, rank: int) -> float:
        """The latency in ms of the request of that rank, counted from 1, the fastest."""
        place = int(np.searchsorted(self.counts.cumsum(), rank))
        return max(float(self._tops()[1][place]), 1.0) / 1000  # 0 is below what a bucket tells

    def _tops(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        shift = np.maximum((self.buckets >> HALF_BITS) - 1, 0)
        return shift, ((self.buckets - (shift << HALF_BITS) + 1) << shift) - 1


@lru_cache(maxsize=16384)
def read(encoded: str) -> Latencies:
    """Latencies from HdrHistogram V2, base64."""
    counts = np.ctypeslib.as_array(decode(encoded).counts).astype(np.int64)
    filled = np.flatnonzero(counts)
    return Latencies(filled, counts[filled])


def merged(encoded: Iterable[str]) -> Latencies:
    """The latencies of several trials together."""
    parts = [read(each) for each in encoded]
    if not parts:
        return Latencies(np.zeros(0, np.int64), np.zeros(0, np.int64))
    buckets, place = np.unique(
        np.concatenate([each.buckets for each in parts]), return_inverse=True
    )
    counts = np.zeros(len(buckets), np.int64)
    np.add.at(counts, place, np.concatenate([each.counts for each in parts]))
    return Latencies(buckets, counts)
