"""What the bytes on a connection mean: HTTP/1.1, or an echo over a WebSocket (websocket.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from loadtest.engine.head import MalformedResponse
from loadtest.engine.http1 import ResponseParser

if TYPE_CHECKING:
    from loadtest.engine.request import Request


class Answer(NamedTuple):
    """How a request ended. `error` is empty where the answer is right.

    `reusable`: the connection can go on. `size` is that of the body, in bytes. `whole` is False
    where no answer came, or none that can be read. `reply` goes out at once. `lost` names the end
    of a connection that should have lasted; it counts as the failure of the next request.
    """

    error: str
    reusable: bool
    size: int = 0
    whole: bool = True
    reply: bytes = b""
    lost: str = ""


def broken(error: str, reply: bytes = b"") -> Answer:
    """No answer: the connection is of no more use."""
    return Answer(error, reusable=False, whole=False, reply=reply)


class Dialogue(Protocol):
    """One connection's side of a protocol; made anew for each connection that is opened."""

    def opening(self) -> bytes:
        """What to send before the first request; empty where that may go out at once."""
        ...

    def feed(self, request: Request, data: bytes) -> Answer | bytes | None:
        """Take in bytes: an answer, bytes to send in turn, or nothing yet."""
        ...

    def ended(self, request: Request, /) -> Answer:
        """The server has closed the connection while `request` was in hand."""
        ...

    def unasked(self, data: bytes, /) -> Answer | bytes:
        """Bytes came between two requests (none: the server has closed).

        What to send in turn; or an Answer: the connection is over, an error only where it has one.
        """
        ...


class HttpDialogue:
    """HTTP/1.1 with one request in hand."""

    __slots__ = ("_parser",)

    def __init__(self) -> None:
        self._parser = ResponseParser()

    def opening(self) -> bytes:
        return b""

    def feed(self, request: Request, data: bytes) -> Answer | None:
        whole = self._parser.empty
        if whole and data == request.verified:
            return Answer("", reusable=True, size=request.verified_size)
        try:
            response = self._parser.feed(data)
        except MalformedResponse as malformed:
            return broken(str(malformed))
        if response is None:
            return None
        error = request.check(response)
        if response.leftover:
            return Answer(error or "excess bytes", reusable=False)
        if not error and request.keep:
            request.keep(response)
        elif not error and whole and response.head.keep_alive:
            request.verify(data, len(response.body))
        return Answer(error, response.head.keep_alive, len(response.body))

    def ended(self, request: Request) -> Answer:
        if self._parser.empty:
            return broken("connection closed")
        response = self._parser.finish()
        if response is None:
            return broken("cut answer")
        error = request.check(response)
        if not error and request.keep:
            request.keep(response)
        return Answer(error, reusable=False, size=len(response.body))

    def unasked(self, _: bytes, /) -> Answer:
        """Nothing that comes now can be an answer (RFC 9112, 9.2); a kept connection may end."""
        return Answer("", reusable=False)
