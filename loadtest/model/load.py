"""What one load is and what it measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SLICE_S = 0.25  # of the timeline


@dataclass(frozen=True)
class Load:
    """How requests arrive. `kind` is a name in `loadtest.engine.kinds.KINDS`.

    `connections` are open, or at most open. `rate_rps` is for kinds with a schedule. `think_s` is
    the pause after each answer.
    """

    kind: str
    connections: int
    rate_rps: float | None = None
    think_s: float = 0.0


@dataclass(frozen=True)
class LoadResult:
    """One measured window: what the generator saw, warm-up left out.

    Exactly: sent = answered + failed + unfinished, and failed = Σ errors. `answered` counts
    only responses whose body passed the scenario's check; `goodput_rps` = answered / duration_s.
    Histograms are HdrHistogram V2 base64, microseconds, three digits; failures stay in them.
    `response_us` counts from the intended send time, `service_us` from the actual one (in closed
    load they are equal); both include connecting where a connection had to be opened.
    Requests in hand when the window began are in `sent`, so sent_in_warmup + sent is every request
    of the run. `boundary_s` (request-seconds) is the age of the requests in hand at the end less
    that of those in hand at the beginning, so that
    mean_in_flight × duration_s = Σ service time + boundary_s.
    `reconnects` are the connections that were opened anew. `paused_s` (connection-seconds) is how
    long connections sat out after failures; None in a record from before it was measured.
    `timeline` has the warm-up too, in slices of a quarter of a second: t (its beginning, counted
    from the window's), answered, failed, p50_ms and max_ms of the response times that ended in it.
    `planned_s` is how long the window should have lasted. `longest_pause_s` is the longest time
    that the generator's loop stood still, `stood_still_s` the sum of such times.
    `answered_after` and `failed_after` (by name) are how requests ended after the window that were
    unfinished at its end; the rest were let go while the service still answered.
    `response_after_us` and `service_after_us`: how long those took that ended then, as histograms;
    empty in a record from before they were kept. `oldest_s` is the age of the oldest request
    without an answer, `slowest_s` the longest time that an answer took.
    `resent` are requests that were sent again because their connection had closed.
    These are None in a record from before they were measured.
    """

    started_at: str  # ISO 8601, UTC, of the measured window
    warmup_s: float
    duration_s: float
    sent: int
    answered: int
    failed: int
    unfinished: int
    errors: Mapping[str, int]  # by name: "status 503", "wrong body", "timeout" …
    goodput_rps: float
    received_bytes: int
    reconnects: int
    response_us: str
    service_us: str
    send_late_us: str  # how late each request left, against its schedule (open load; else empty)
    mean_in_flight: float  # time average of requests in hand, for Little's law
    generator_cpu: float  # busiest generator process: CPU seconds per second, 1.0 = one core
    sent_in_warmup: int = 0  # so that load and service counters can be compared exactly
    unsendable: int = 0  # open load: arrivals that never found a free connection under the cap
    boundary_s: float = 0.0
    paused_s: float | None = None
    timeline: tuple[Mapping[str, float], ...] = ()
    planned_s: float | None = None
    longest_pause_s: float | None = None
    stood_still_s: float | None = None
    resent: int = 0
    answered_after: int | None = None
    failed_after: Mapping[str, int] = field(default_factory=dict)
    response_after_us: str = ""
    service_after_us: str = ""
    oldest_s: float | None = None
    slowest_s: float | None = None
