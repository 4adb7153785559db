"""A stream of events as one answer: when each event came, whether all came, how it ended."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from loadtest.engine.http1.head import Head, MalformedResponse
from loadtest.engine.http1.passing import PassingParser
from loadtest.engine.http1.responses import Response
from loadtest.engine.http_request import HttpDialogue, http_request
from loadtest.engine.request import Answer, Request, broken
from loadtest.engine.sse.events import EventError, EventReader

_EVENT_STREAM = "text/event-stream"
_NO_STREAM = "no event stream"

Number = Callable[[bytes], int | None]


class Notes(Protocol):
    """What the times of events are kept in, in seconds: until the first one, and between two."""

    first_events: list[float]
    gaps: list[float]


def stream_request(host: str, target: str, path: str, events: int, number: Number) -> Request:
    """A stream of `events` events. `number` tells by an event's data which it is, from 0; None
    where it is none of them.
    """
    return http_request(
        "GET",
        host,
        target,
        _is_ok,
        path=path,
        headers={"Accept": _EVENT_STREAM},
        dialogue=lambda: EventDialogue(events, number),
    )


def _is_ok(response: Response) -> str:
    return "" if response.head.status == 200 else f"status {response.head.status}"


class EventDialogue(HttpDialogue):
    """HTTP/1.1 whose answers are streams of `events` events, numbered by `number`.

    An event that is none of them ends the stream at once, one too many as well, and so does an
    answer that is no stream. An event that is left out does not: the others are still to be heard.
    """

    __slots__ = (
        *("_error", "_events", "_fresh", "_head", "_heard", "_heard_at", "_next", "_number"),
        *("_over", "_reader", "_response"),
    )

    def __init__(self, events: int, number: Number) -> None:
        self._events, self._number = events, number
        self._response = PassingParser(take=self._take)
        super().__init__(self._response)
        self._begin()

    def _begin(self) -> None:
        """Be ready for the next stream."""
        self._reader = EventReader()
        self._heard = self._next = 0  # events so far, and the number of the one that is due
        self._fresh = 0  # events that are not noted yet
        self._heard_at: float | None = None  # when the last event came
        self._error = ""
        self._head: Head | None = None
        self._over = False

    def feed(self, request: Request, data: bytes) -> Answer | None:
        if self._over:
            self._begin()
        try:
            response = self._response.feed(data)
        except (MalformedResponse, EventError) as error:
            return self._ending(broken(str(error)))
        if response is not None:
            return self._ending(self._whole(request, response))
        if self._error and not self._is_due:
            return self._ending(Answer(self._error, reusable=False))
        return None

    def ended(self, request: Request) -> Answer:
        if self._over or self._response.empty:
            return broken("connection closed")
        if self._response.head is None:
            return broken("cut answer")
        response = self._response.finish()
        if response is None:
            return self._ending(broken(self._error or self._cut()))
        answer = self._whole(request, response)
        return self._ending(answer._replace(reusable=False))

    def silence_s(self, now: float) -> float:
        """Since when no event of the stream in hand has come; infinite where none ever has."""
        return math.inf if self._over or self._heard_at is None else now - self._heard_at

    def overdue(self, since: float) -> Answer | None:
        """The end of a stream of which nothing came after `since`; None where something did."""
        if self._over:
            self._begin()
        if self._heard_at is None:
            return self._ending(broken("timeout"))
        if self._heard_at >= since:
            return None
        error = "stream never ended" if self._next >= self._events else "timeout"
        return self._ending(broken(error))

    def note(self, series: Notes, asked_at: float, now: float) -> None:
        """Write down the events that have just come, of a stream that was due at `asked_at`."""
        for _ in range(self._fresh):
            if self._heard_at is None:
                series.first_events.append(now - asked_at)
            else:
                series.gaps.append(now - self._heard_at)
            self._heard_at = now
        self._fresh = 0

    def _take(self, body: bytes) -> None:
        if self._head is None:
            assert self._response.head is not None
            self._meet(self._response.head)
        if self._streams:
            for data in self._reader.feed(body):
                self._count(self._number(data))

    def _meet(self, head: Head) -> None:
        """The head is there."""
        self._head = head
        kind = (head.header(b"content-type") or b"").partition(b";")[0]
        if head.status == 200 and kind.strip().lower() != _EVENT_STREAM.encode():
            self._error = _NO_STREAM

    @property
    def _streams(self) -> bool:
        """Whether what comes are events."""
        return self._head is not None and self._head.status == 200 and self._error != _NO_STREAM

    @property
    def _is_due(self) -> bool:
        """Whether more of the stream is worth being read, whatever has been wrong with it."""
        return self._streams and self._error == "lost event"

    def _count(self, number: int | None) -> None:
        if self._error and not self._is_due:
            return
        if number is None:
            self._error = "wrong event"
        elif number >= self._events:
            self._error = "excess event"
        elif number < self._next:
            self._error = "repeated event"
        else:
            if number > self._next:
                self._error = "lost event"
            self._next = number + 1
            self._heard += 1
            self._fresh += 1

    def _whole(self, request: Request, response: Response) -> Answer:
        if self._head is None:
            self._meet(response.head)
        error = request.check(response) or self._error
        if not error and (self._next < self._events or self._reader.cut):
            error = self._cut()
        if response.leftover:
            return Answer(error or "excess bytes", reusable=False, size=response.size)
        goes_on = response.head.keep_alive and not request.last
        return Answer(error, goes_on, response.size)

    def _cut(self) -> str:
        return "cut event" if self._reader.cut else "cut stream"

    def _ending(self, answer: Answer) -> Answer:
        """The stream's last word, with the events that never came; the last ones that did may not
        be noted yet.
        """
        self._over = True
        lost = self._events - self._heard if self._streams else 0
        return answer._replace(lost_events=lost)
