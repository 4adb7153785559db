"""What a load did: counts and latencies, by batch and by window."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.engine.request import Request
from loadtest.engine.sse.times import EventTimes
from loadtest.stats.histogram import Histogram


@dataclass(slots=True)
class Batch:
    """What one kind of request did since the batch before.

    `response` counts latencies from the intended send time, `service` from the actual one; in a
    closed load both are the same object. Failures are in them too.
    """

    service: str
    scenario: str
    method: str
    path: str
    answered: int = 0
    failed: int = 0
    abandoned: int = 0  # in hand when their connection left the load
    errors: Counter[str] = field(default_factory=Counter)
    received: int = 0  # bytes, heads and all
    bodies: int = 0  # bytes of bodies alone
    response: Histogram = field(default_factory=Histogram)
    service_time: Histogram = field(default_factory=Histogram)
    events: EventTimes | None = None  # of streams

    @property
    def empty(self) -> bool:
        """Whether nothing happened."""
        return not (self.answered or self.failed or self.abandoned or self.events)


class Series:
    """Latencies of one kind of request as the loop appends them, in seconds.

    The lists are emptied into histograms a few thousand values at a time: often enough that no
    single request waits for it, seldom enough that it costs next to nothing.
    """

    __slots__ = (
        "_batch",
        "_open_loop",
        "abandoned",
        "bodies",
        "errors",
        "failed",
        "first_events",
        "gaps",
        "late",
        "lost_events",
        "received",
        "repeated",
        "response",
        "service_time",
    )

    def __init__(self, batch: Batch, *, open_loop: bool) -> None:
        self._batch = batch
        self._open_loop = open_loop
        if not open_loop:
            batch.service_time = batch.response
        self.service_time: list[float] = []
        self.response: list[float] = []
        self.late: list[float] = []
        self.first_events: list[float] = []  # of streams
        self.gaps: list[float] = []
        self.failed = self.lost_events = 0
        self.received = self.bodies = self.abandoned = 0
        self.repeated: set[Request] = set()
        self.errors: Counter[str] = Counter()

    def drain(self, late: Histogram) -> None:
        """Count the listed latencies; lateness goes to `late`."""
        for request in self.repeated:
            request.settle()
        batch = self._batch
        batch.answered += len(self.service_time) - self.failed
        batch.failed += self.failed
        batch.abandoned += self.abandoned
        batch.errors.update(self.errors)
        batch.received += self.received
        batch.bodies += self.bodies
        batch.response.add_seconds(self.response if self._open_loop else self.service_time)
        if self._open_loop:
            batch.service_time.add_seconds(self.service_time)
            late.add_seconds(self.late)
        if self.first_events or self.gaps or self.lost_events:
            self._drain_events(batch)
        for values in (self.service_time, self.response, self.late):
            values.clear()
        self.errors.clear()
        self.failed = self.received = self.bodies = self.abandoned = 0

    def _drain_events(self, batch: Batch) -> None:
        batch.events = batch.events or EventTimes()
        batch.events.first.add_seconds(self.first_events)
        batch.events.gaps.add_seconds(self.gaps)
        batch.events.lost += self.lost_events
        self.first_events.clear()
        self.gaps.clear()
        self.lost_events = 0

    def take(self) -> Batch:
        """The batch so far; a new one begins. Drain first."""
        done = self._batch
        self._batch = Batch(done.service, done.scenario, done.method, done.path)
        if not self._open_loop:
            self._batch.service_time = self._batch.response
        return done


class Occupancy:
    """How many of something there are now, and the integral of that over time."""

    __slots__ = ("_area", "_changed_at", "count")

    def __init__(self, now: float) -> None:
        self.count = 0
        self._area = 0.0
        self._changed_at = now

    def change(self, by: int, now: float) -> None:
        """There are `by` more from now on."""
        self._area += self.count * (now - self._changed_at)
        self._changed_at = now
        self.count += by

    def take(self, now: float) -> float:
        """The integral since the last time, in seconds."""
        self.change(0, now)
        area, self._area = self._area, 0.0
        return area


@dataclass(slots=True)
class Slice:
    """What ended in `SLICE_S` seconds of the warm-up or of the window."""

    answered: int = 0
    failed: int = 0
    response: Histogram = field(default_factory=Histogram)

    def add(self, other: Slice | Batch) -> None:
        """Count what `other` counted too."""
        self.answered += other.answered
        self.failed += other.failed
        self.response.merge(other.response)


Slices = defaultdict[int, Slice]  # by number, from the window's beginning; the warm-up's below 0


@dataclass(slots=True)
class Tally:
    """What one stream did in one window. Exactly: sent = answered + failed + unfinished."""

    duration_s: float = 0.0
    planned_s: float = 0.0
    cpu_s: float = 0.0
    longest_pause_s: float = 0.0  # the engine's loop stood still, at most
    stood_still_s: float = 0.0  # the same, all in all
    oldest_s: float = 0.0  # age of the oldest request without an answer
    slowest_s: float = 0.0  # the longest time that an answer took
    sent: int = 0  # those in hand when the window began too
    answered: int = 0
    failed: int = 0
    unfinished: int = 0
    unsendable: int = 0
    received: int = 0
    reconnects: int = 0
    resent: int = 0  # sent again on a new connection
    answered_after: int = 0  # of the unfinished, after the window
    in_flight_s: float = 0.0  # integral of the requests in hand
    paused_s: float = 0.0  # integral of the connections that sat out after a failure
    carried_s: float = 0.0  # age of the requests in hand when it began
    unfinished_s: float = 0.0  # age of the requests in hand when it ended
    sent_before: int = 0
    failed_before: int = 0  # of these
    errors: Counter[str] = field(default_factory=Counter)
    # By name, of the unfinished; the rest were let go.
    failed_after: Counter[str] = field(default_factory=Counter)
    response: Histogram = field(default_factory=Histogram)
    service_time: Histogram = field(default_factory=Histogram)
    response_after: Histogram = field(default_factory=Histogram)
    service_time_after: Histogram = field(default_factory=Histogram)
    late: Histogram = field(default_factory=Histogram)
    events: EventTimes = field(default_factory=EventTimes)
    slices: Slices = field(default_factory=lambda: defaultdict(Slice))

    def add(self, batch: Batch) -> None:
        """Count a batch of the window."""
        self.answered += batch.answered
        self.failed += batch.failed
        self.received += batch.received
        self.errors.update(batch.errors)
        self.response.merge(batch.response)
        self.service_time.merge(batch.service_time)
        if batch.events:
            self.events.merge(batch.events)

    def merge(self, other: Tally) -> None:
        """Add another process's tally of the same window."""
        for name in _LARGEST:
            setattr(self, name, max(getattr(self, name), getattr(other, name)))
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.errors.update(other.errors)
        self.failed_after.update(other.failed_after)
        for name in _HISTOGRAMS:
            getattr(self, name).merge(getattr(other, name))
        self.events.merge(other.events)
        for number, each in other.slices.items():
            self.slices[number].add(each)

    def to_message(self) -> dict[str, Any]:
        """Plain values, for a message between processes."""
        return {
            **{name: getattr(self, name) for name in (*_LARGEST, *_SUMS)},
            **{name: getattr(self, name).sparse() for name in _HISTOGRAMS},
            "errors": dict(self.errors),
            "failed_after": dict(self.failed_after),
            "events": self.events.to_message(),
            "slices": [
                [number, each.answered, each.failed, each.response.sparse()]
                for number, each in self.slices.items()
            ],
        }

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Tally:
        """What `to_message` gave."""
        tally = cls(**{name: message[name] for name in (*_LARGEST, *_SUMS)})
        tally.errors.update(message["errors"])
        tally.failed_after.update(message["failed_after"])
        tally.events.add_message(message["events"])
        for name in _HISTOGRAMS:
            getattr(tally, name).add_sparse(message[name])
        for number, answered, failed, counts in message["slices"]:
            tally.slices[number] = Slice(answered, failed)
            tally.slices[number].response.add_sparse(counts)
        return tally


_LARGEST = (
    "duration_s",
    "planned_s",
    "cpu_s",
    "longest_pause_s",
    "stood_still_s",
    "oldest_s",
    "slowest_s",
)
_SUMS = (
    "sent",
    "answered",
    "failed",
    "unfinished",
    "unsendable",
    "received",
    "reconnects",
    "resent",
    "answered_after",
    "in_flight_s",
    "paused_s",
    "carried_s",
    "unfinished_s",
    "sent_before",
    "failed_before",
)
_HISTOGRAMS = ("response", "service_time", "response_after", "service_time_after", "late")
