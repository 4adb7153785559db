"""When the events of streams came."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtest.stats.histogram import Histogram


@dataclass(slots=True)
class EventTimes:
    """Times of events as histograms.

    `lost` are events that never came. Of the streams in hand at the end, `unheard` had no event
    yet, and `silent` had none for longer than between any two events before.
    """

    lost: int = 0
    unheard: int = 0
    silent: int = 0
    first: Histogram = field(default_factory=Histogram)  # from the request to the first event
    gaps: Histogram = field(default_factory=Histogram)  # between two events of a stream

    def close(self, silences_s: Iterable[float | None]) -> None:
        """The window ends. For each connection: since when nothing came of the stream in hand, in
        seconds; infinite where nothing ever came, None without a stream.
        """
        found = [each for each in silences_s if each is not None]
        longest_s = self.gaps.percentile_us(100) / 1e6 if self.gaps.total else 0.0
        self.unheard = sum(map(math.isinf, found))
        self.silent = sum(longest_s < each < math.inf for each in found) if longest_s else 0

    def merge(self, other: EventTimes) -> None:
        """Count what `other` counted too."""
        self.lost += other.lost
        self.unheard += other.unheard
        self.silent += other.silent
        self.first.merge(other.first)
        self.gaps.merge(other.gaps)

    def to_message(self) -> list[Any]:
        """Plain values, for a message between processes."""
        return [self.lost, self.unheard, self.silent, self.first.sparse(), self.gaps.sparse()]

    def add_message(self, message: Sequence[Any]) -> None:
        """Add what `to_message` gave."""
        lost, unheard, silent, first, gaps = message
        self.lost += lost
        self.unheard += unheard
        self.silent += silent
        self.first.add_sparse(first)
        self.gaps.add_sparse(gaps)
