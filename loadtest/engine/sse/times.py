"""When the events of streams came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtest.stats.histogram import Histogram


@dataclass(slots=True)
class EventTimes:
    """Times of events as histograms.

    `lost` are events that never came, `unheard` the streams in hand that had none yet.
    """

    lost: int = 0
    unheard: int = 0
    first: Histogram = field(default_factory=Histogram)  # from the request to the first event
    gaps: Histogram = field(default_factory=Histogram)  # between two events of a stream

    def merge(self, other: EventTimes) -> None:
        """Count what `other` counted too."""
        self.lost += other.lost
        self.unheard += other.unheard
        self.first.merge(other.first)
        self.gaps.merge(other.gaps)

    def to_message(self) -> list[Any]:
        """Plain values, for a message between processes."""
        return [self.lost, self.unheard, self.first.sparse(), self.gaps.sparse()]

    def add_message(self, message: Sequence[Any]) -> None:
        """Add what `to_message` gave."""
        lost, unheard, first, gaps = message
        self.lost += lost
        self.unheard += unheard
        self.first.add_sparse(first)
        self.gaps.add_sparse(gaps)
