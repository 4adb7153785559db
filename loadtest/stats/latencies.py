"""Latencies read back from a trial: the filled buckets of an HdrHistogram, and what they tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from loadtest.model.load import LoadResult
from loadtest.stats.histogram import HALF_BITS, decode
from loadtest.stats.inference import MARGIN, enough, percentile_ranks

Kind = Literal["response", "service"]


@dataclass(frozen=True)
class Percentile:
    """A percentile in milliseconds with its 95 % limits, which are None where they can't be had.

    Requests that still waited count as the slowest in `ms`. The limits hold whatever they take.
    """

    ms: float
    low_ms: float | None
    high_ms: float | None
    requests: int


@dataclass(frozen=True, eq=False)
class Latencies:
    """Filled buckets in rising order, and how many requests fell in each.

    `waiting` requests more had no answer yet: how long they take is not known.
    """

    buckets: NDArray[np.int64]
    counts: NDArray[np.int64]
    waiting: int = 0

    @property
    def total(self) -> int:
        """How many requests have ended."""
        return int(self.counts.sum())

    @property
    def waiting_share(self) -> float:
        """The share of all that had no answer yet."""
        return self.waiting / (self.total + self.waiting) if self.waiting else 0.0

    @property
    def mean_us(self) -> float:
        """Mean in µs, each bucket at its middle; 0 where there is none."""
        shift, top = self._tops()
        middle = top - ((1 << shift) - 1) / 2
        return float((middle * self.counts).sum() / self.total) if self.total else 0.0

    def percentile(self, which: float) -> Percentile | None:
        """A percentile with its order-statistic limits.

        None with too few requests to print one, or where those that still wait could change it:
        it has to stay within 5 %, and its limits known, whether they turn out slowest or fastest.
        """
        count = self.total + self.waiting
        if not enough(self.total, which):
            return None
        wanted = max(1, int(which / 100 * count + 0.5))
        ranks = percentile_ranks(count, which)
        if self.waiting and not (ranks and self._stays(wanted, ranks[1])):
            return None
        low, high = (
            (self._at(max(1, ranks[0] - self.waiting)), self._at(ranks[1]))
            if ranks
            else (None, None)
        )
        return Percentile(self._at(wanted), low, high, self.total)

    def _stays(self, rank: int, upper: int) -> bool:
        """Whether the request of `rank` of all took as long whatever those that wait will take.

        `upper` bounds it from above, and has to have ended.
        """
        if upper > self.total or rank <= self.waiting:
            return False
        return self._at(rank - self.waiting) >= (1 - MARGIN) * self._at(rank)

    def _at(self, rank: int) -> float:
        """The latency in ms of the request of that rank, counted from 1, the fastest."""
        place = int(np.searchsorted(self.counts.cumsum(), rank))
        return max(float(self._tops()[1][place]), 1.0) / 1000  # 0 is below what a bucket tells

    def _tops(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        shift = np.maximum((self.buckets >> HALF_BITS) - 1, 0)
        return shift, ((self.buckets - (shift << HALF_BITS) + 1) << shift) - 1


def of(results: Iterable[LoadResult], kind: Kind = "response") -> Latencies:
    """All latencies of some windows, what ended after them too, and how many still waited then.

    An arrival of an open load that was never sent waits for its response as well.
    """
    known = list(results)
    parts = [
        part
        for each in known
        for part in (
            (each.response_us, each.response_after_us)
            if kind == "response"
            else (each.service_us, each.service_after_us)
        )
        if part
    ]
    found = merged(parts)
    ended = sum(each.answered + each.failed for each in known)
    in_hand = sum(each.unfinished for each in known)
    unsent = sum(each.unsendable for each in known) if kind == "response" else 0
    return replace(found, waiting=max(0, ended + in_hand - found.total) + unsent)


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
