"""What one load is and what it measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SLICE_S = 0.25  # of the timeline


@dataclass(frozen=True)
class Load:
    """How requests arrive. `kind` is a name in `loadtest.engine.kinds.KINDS`.

    `connections` are open, or at most open. `rate_rps` is for kinds with a schedule. `think_s` is
    the pause after each answer. After `requests_per_connection` requests a connection is closed and
    a new one opened; None: it is kept as long as the server keeps it.
    """

    kind: str
    connections: int
    rate_rps: float | None = None
    think_s: float = 0.0
    requests_per_connection: int | None = None


@dataclass(frozen=True)
class LoadResult:
    """One measured window: what the generator saw. None where a record is older than the field.

    Exactly: sent = answered + failed + unfinished; failed = Σ errors; and
    mean_in_flight × duration_s = Σ service time + boundary_s.
    Histograms are HdrHistogram V2 base64, in microseconds, three digits. Failures stay in them.
    """

    started_at: str  # ISO 8601, UTC, of the measured window
    warmup_s: float
    duration_s: float
    sent: int  # those in hand when the window began too
    answered: int  # right answers alone
    failed: int
    unfinished: int
    errors: Mapping[str, int]  # by name: "status 503", "wrong body", "timeout" …
    goodput_rps: float  # answered ÷ duration_s
    received_bytes: int
    reconnects: int  # connections that were opened anew
    response_us: str  # from the intended send, connecting included
    service_us: str  # from the actual send; the same in a closed load
    send_late_us: str  # how late each request left, against its schedule (open load; else empty)
    mean_in_flight: float  # time average of requests in hand, for Little's law
    generator_cpu: float  # busiest generator process: CPU seconds per second, 1.0 = one core
    sent_in_warmup: int = 0  # so that load and service counters can be compared exactly
    failed_in_warmup: int | None = None  # of these
    unsendable: int = 0  # open load: arrivals that never found a free connection under the cap
    boundary_s: float = 0.0  # age of the requests in hand: at the end less at the beginning
    paused_s: float | None = None  # connection-seconds that were sat out after failures
    # Warm-up and window in slices of `SLICE_S`: t (from the window's beginning), answered, failed,
    # p50_ms and max_ms of the response times that ended in it.
    timeline: tuple[Mapping[str, float], ...] = ()
    planned_s: float | None = None  # how long the window should have lasted
    longest_pause_s: float | None = None  # the generator's loop stood still, at most
    stood_still_s: float | None = None  # the same, all in all
    resent: int = 0  # sent again, as their connection had closed
    answered_after: int | None = None  # of the unfinished, after the window
    # By name, of the unfinished; the rest were let go while the service still answered.
    failed_after: Mapping[str, int] = field(default_factory=dict)
    response_after_us: str = ""  # of those that ended after the window
    service_after_us: str = ""
    oldest_s: float | None = None  # age of the oldest request without an answer
    slowest_s: float | None = None  # the longest time that an answer took
    # Streams: events of those that ended too early or are out of turn, which never came.
    lost_events: int = 0
    unheard: int = 0  # streams in hand at the end that had no event yet
    silent: int = 0  # those that had none for longer than between any two events of the window
    first_event_us: str = ""  # from the intended send to the first event of each stream
    event_gap_us: str = ""  # between two events of a stream
    beside: LoadResult | None = None  # what a second load saw meanwhile


def restored(record: Mapping[str, Any]) -> LoadResult:
    """What `asdict` made a record of, also as it comes back from JSON."""
    beside = record.get("beside")
    whole = {"timeline": tuple(record["timeline"]), "beside": restored(beside) if beside else None}
    return LoadResult(**{**record, **whole})
