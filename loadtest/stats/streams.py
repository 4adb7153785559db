"""What a window tells of its streams: when their events came, and how many never did."""

from __future__ import annotations

from dataclasses import replace

from loadtest.model.load import LoadResult
from loadtest.stats.latencies import read


def first_event_ms(result: LoadResult) -> float | None:
    """How long a stream's first event takes at the median; None where there are too few.

    Streams that still wait for theirs count as the slowest.
    """
    if not result.first_event_us:
        return None
    found = replace(read(result.first_event_us), waiting=result.unheard).percentile(50.0)
    return found.ms if found else None


def gap_p99_ms(result: LoadResult) -> float | None:
    """How long after another an event comes at the 99th percentile; None with too few.

    Streams that fell silent before the window's end count as the slowest. Where they could change
    the figure there is none.
    """
    if not result.event_gap_us:
        return None
    found = replace(read(result.event_gap_us), waiting=result.silent).percentile(99.0)
    return found.ms if found else None


def served_share(result: LoadResult, streams: int) -> float | None:
    """Of `streams` that are held, those that have had an event; None without one.

    A stream whose connection was refused, or is being opened anew, is not served either.
    """
    return (result.unfinished - result.unheard) / streams if _has_streams(result) else None


def due_share(result: LoadResult, streams: int, interval_s: float) -> float | None:
    """Of the events that `streams` held all along were due in the window, those that came.

    At most 1; None without a stream. A stream that waits for its first event misses all of them.
    """
    if not _has_streams(result):
        return None
    return min(1.0, _events(result) * interval_s / (streams * result.duration_s))


def lost_share(result: LoadResult) -> float | None:
    """Events that never came, as a share of those that were due; None without a stream."""
    due = result.lost_events + _events(result)
    return result.lost_events / due if due else None


def _has_streams(result: LoadResult) -> bool:
    return bool(result.first_event_us or result.event_gap_us or result.unheard)


def _events(result: LoadResult) -> int:
    """How many events came in the window."""
    times = filter(None, (result.first_event_us, result.event_gap_us))
    return sum(read(each).total for each in times)
