"""The requests: whether each got an answer, and each answer was right in content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from loadtest.analysis.failures import failures, listed
from loadtest.engine.after import FAR, NO_ANSWER
from loadtest.model.counts import number_of
from loadtest.model.load import LoadResult
from loadtest.model.trial import Gate

CONTENT, STATUS, ANSWERED = "right content", "right status", "all answered"
OURS = "only our requests"
# The other names of failures are those of connections: refused, closed, reset, cut off, timed out.
_WRONG = frozenset(
    {
        "wrong body",
        "excess bytes",
        "not HTTP",
        "other HTTP version",
        "head too large",
        "body too large",
        "unknown transfer coding",
        "no event stream",
        "wrong event",
        "lost event",
        "repeated event",
        "excess event",
        "event too large",
    }
)


def right_content(loads: Sequence[LoadResult]) -> Gate:
    """No answer was wrong: one that is fails the trial, whatever its share."""
    return _none(CONTENT, loads, lambda name: name in _WRONG or name.startswith("malformed"))


def right_status(loads: Sequence[LoadResult]) -> Gate:
    """No answer had another status than the request asks for."""
    return _none(STATUS, loads, lambda name: name.startswith("status "))


def _none(gate: str, loads: Sequence[LoadResult], wrong: Callable[[str], bool]) -> Gate:
    found: Counter[str] = Counter()
    for load in loads:
        found.update({name: count for name, count in failures(load).items() if wrong(name)})
    detail = listed(found) or "every answer was as it has to be"
    return Gate(gate, not found, sum(found.values()), 0, detail)


def all_answered(result: LoadResult) -> Gate:
    """No request was left without an answer for far longer than the slowest answer took."""
    if result.answered_after is None:
        return Gate(ANSWERED, True, None, 0, "answers after the window were not awaited")
    lost = result.failed_after.get(NO_ANSWER, 0)
    slowest_s, oldest_s = result.slowest_s or 0.0, result.oldest_s or 0.0
    detail = (
        f"{lost:,} of {result.unfinished:,} in hand at the end never got an answer: the oldest "
        f"waited {oldest_s:.2f} s, the slowest answer took {slowest_s:.2f} s"
        if lost
        else f"{result.answered_after:,} of {result.unfinished:,} in hand at the end were answered "
        f"after it, none waited {FAR:g} times as long as the slowest"
    )
    return Gate(ANSWERED, not lost, lost, 0, detail)


def only_ours(loads: Sequence[LoadResult], counted: int | None) -> Gate:
    """The service answered what `loads` sent it, warm-up and all, and nothing else.

    `counted` are the requests that it answered from before the first until after the last of them.
    It may lack what failed and what it still had in hand, and have twice what was sent again.
    """
    if counted is None:
        return Gate(OURS, True, None, 0, "the service's own count could not be read")
    sent = sum(each.sent_in_warmup + each.sent for each in loads)
    unsure = sum(map(_unsure, loads))
    more = counted - sent - sum(each.resent for each in loads)
    fewer = sent - unsure - counted
    told = f"the service answered {number_of(counted, 'request')}, we sent {sent:,}"
    if more > 0:
        detail = f"{told}: somebody else asked it at the same time"
    elif fewer > 0:
        detail = (
            f"{told} and got an answer to all but {unsure:,}: "
            "not each answer is one of this service to us"
        )
    else:
        detail = told
    value = float(max(more, fewer, 0))
    return Gate(OURS, value == 0, value, 0, detail, disturbance=True)


def _unsure(result: LoadResult) -> int:
    failed_before = result.failed_in_warmup
    if failed_before is None:  # of an older trial: its timeline has whole slices alone
        failed_before = sum(int(part["failed"]) for part in result.timeline if part["t"] < 0)
    after = (result.answered_after or 0) + sum(result.failed_after.values())
    failed_after = sum(result.failed_after.values())
    let_go = result.unfinished - after
    return failed_before + result.failed + failed_after + let_go
