"""After the window: how the requests end that were in hand at its end, and how long to wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from loadtest.engine.tally import Tally

NO_ANSWER = "no answer"
LET_GO_S = 1.0  # the service may keep a queue longer than this; the next trial need not meet it
LONGEST_S = 5.0
QUIET = 2.0  # × the slowest answer: nothing was sent since, so a queue would have moved
FAR = 5.0  # × the slowest answer: the age at which a request is no longer just the next in turn

Step = Literal["wait", "let go", "give up"]


def step(waited_s: float, quiet_s: float, slowest_s: float) -> Step:
    """What to do while requests are in hand after the window.

    `waited_s` since the window's end, `quiet_s` since the last answer, `slowest_s`: the longest
    time that an answer took; 0 where there was none. Where answers keep coming the rest is let go:
    a queue is no fault. Where none came for far too long, none will come.
    """
    if waited_s < LET_GO_S:
        return "wait"
    if not slowest_s or quiet_s < slowest_s / 2:
        return "let go"
    if quiet_s >= QUIET * slowest_s or waited_s >= LONGEST_S:
        return "give up"
    return "wait"


def overdue(begun: Sequence[float], now: float, quiet_s: float, slowest_s: float) -> int:
    """How many of the requests begun at `begun` will get no answer: all, or those far too old."""
    if not slowest_s:
        return 0
    if quiet_s >= QUIET * slowest_s:
        return len(begun)
    return sum(now - each > FAR * slowest_s for each in begun)


class After:
    """What one stream's requests in hand came to; times are of the engine's clock."""

    def __init__(self, ended: float, slowest_s: float) -> None:
        self._ended = self._answered_at = ended
        self._slowest_s = slowest_s
        self._how: Counter[str] = Counter()
        self._response: list[float] = []
        self._service_time: list[float] = []

    def add(self, error: str, took_s: float, response_s: float, now: float) -> None:
        """A request has ended, rightly where `error` is empty.

        It took `took_s` from when it was sent, `response_s` from when it was due.
        """
        self._how[error] += 1
        self._service_time.append(took_s)
        self._response.append(response_s)
        if not error:
            self._answered_at = now
            self._slowest_s = max(self._slowest_s, took_s)

    def wait(self, now: float) -> Step:
        """Whether to wait for more."""
        return step(now - self._ended, now - self._answered_at, self._slowest_s)

    def settle(self, tally: Tally, begun: Sequence[float], now: float) -> None:
        """Write it down; `begun` is when each request was begun that is still in hand."""
        tally.answered_after = self._how.pop("", 0)
        tally.failed_after = self._how
        tally.response_after.add_seconds(self._response)
        tally.service_time_after.add_seconds(self._service_time)
        tally.slowest_s = self._slowest_s
        tally.oldest_s = now - min(begun, default=now)
        if count := overdue(begun, now, now - self._answered_at, self._slowest_s):
            tally.failed_after[NO_ANSWER] += count
