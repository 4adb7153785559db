"""Whether a service was there all through a trial: its metrics and its answers show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from loadtest.model.load import SLICE_S, LoadResult
from loadtest.model.trial import Gate

KEPT_RUNNING = "service kept running"
SILENT_S = 2.0


@dataclass(frozen=True)
class Look:
    """One look at a service's metrics; times in seconds since the measured window began.

    `cpu_s` and `workers_ended` only ever grow while the service's first process lives, and are None
    where the look was in vain. `away`: nobody listened at all. Postgres is looked at each time.
    """

    began: float
    ended: float
    cpu_s: float | None = None
    workers_ended: float | None = None
    away: bool = False
    foreign_sessions: int | None = None  # of other clients on Postgres that did something


def kept_running(result: LoadResult, looks: Sequence[Look]) -> Gate:
    """The service's processes lived, and it was never silent for longer than `SILENT_S`.

    A service that computes for long gives no answer, but a process beside it serves its metrics.
    Silent means that neither came. The gate passes where metrics were never served.
    """
    if all(look.cpu_s is None for look in looks):
        return Gate(KEPT_RUNNING, True, None, None, "this service serves no metrics")
    ended = [*_ends(looks), *_workers_ended(looks)]
    began, silent_s = _longest_silence(result, looks)
    if ended:
        return Gate(KEPT_RUNNING, False, None, None, "; ".join(ended))
    if silent_s > SILENT_S:
        detail = (
            f"neither answers nor metrics for {silent_s:.1f} s, {_when(began)}: "
            "it was paused, or it hung"
        )
        return Gate(KEPT_RUNNING, False, silent_s, SILENT_S, detail)
    return Gate(
        KEPT_RUNNING, True, silent_s, SILENT_S, f"never silent for more than {silent_s:.1f} s"
    )


def _ends(looks: Sequence[Look]) -> Iterator[str]:
    """When the service's first process ended, and whether another took its place."""
    before: Look | None = None
    left: Look | None = None
    for look in looks:
        if look.away and before:
            left = left or look
        elif look.cpu_s is not None:
            if left or (before and before.cpu_s is not None and look.cpu_s < before.cpu_s):
                seen = _when((left or look).began)
                yield f"its processes ended and it was started again, seen {seen}"
            before, left = look, None
    if left:
        yield f"its processes ended and it did not come back, seen {_when(left.began)}"


def _workers_ended(looks: Sequence[Look]) -> Iterator[str]:
    """How many workers ended while the first process lived."""
    found = [look for look in looks if look.workers_ended is not None]
    for before, after in pairwise(found):
        count = (after.workers_ended or 0) - (before.workers_ended or 0)
        if count > 0:
            what = "a worker process" if count == 1 else f"{count:.0f} worker processes"
            yield f"{what} ended, seen {_when(after.began)}"


def _longest_silence(result: LoadResult, looks: Sequence[Look]) -> tuple[float, float]:
    """Beginning and length in seconds of the longest time without a sign of life.

    Only warm-up and window count: before them connections are opened, after them nobody asks.
    """
    begin, end = -result.warmup_s, result.duration_s
    signs = [(look.ended, look.ended) for look in looks if look.cpu_s is not None]
    signs += [(each["t"], each["t"] + SLICE_S) for each in result.timeline if each["answered"]]
    longest, at = 0.0, begin
    last = begin
    for first_s, last_s in sorted([*signs, (end, end)]):
        if min(first_s, end) - last > longest:
            longest, at = min(first_s, end) - last, last
        last = max(last, last_s)
    return at, longest


def _when(at: float) -> str:
    return f"{at:.1f} s into the window" if at >= 0 else "in the warm-up"
