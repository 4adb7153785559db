"""Responses whose bodies are handed on as they come: what is not needed is not kept."""

from __future__ import annotations

from collections.abc import Callable

from loadtest.engine.http1.head import Head, MalformedResponse, parse_head
from loadtest.engine.http1.responses import Response, ResponseParser, chunk_size


class PassingParser(ResponseParser):
    """Keeps the first `keep` bytes of a body; `take` gets every part of it.

    `bodiless`: the answers have no body, whatever their heads say (to HEAD).
    """

    __slots__ = ("_bodiless", "_chunk_ends", "_keep", "_left", "_passed", "_take")

    def __init__(
        self,
        *,
        keep: int = 0,
        take: Callable[[bytes], None] | None = None,
        bodiless: bool = False,
    ) -> None:
        self._keep, self._take, self._bodiless = keep, take, bodiless
        super().__init__()

    @property
    def head(self) -> Head | None:
        """Of the response that is being read; None before it is there."""
        return self._head

    def reset(self) -> None:
        super().reset()
        self._passed = 0  # bytes of the body so far
        self._left = 0  # of the chunk in hand
        self._chunk_ends = False  # a chunk is whole but for its line end

    def finish(self) -> Response | None:
        head = self._head
        if head is None or head.chunked or head.length is not None:
            return None
        return self._over(head, b"")

    def _parsed(self, raw: bytes) -> Head:
        return parse_head(raw, bodiless=True) if self._bodiless else super()._parsed(raw)

    def _take_body(self, head: Head) -> Response | None:
        if head.chunked:
            return self._take_chunks(head)
        if head.length is None:
            self._pass(len(self._buffer))
            return None
        self._pass(min(len(self._buffer), head.length - self._passed))
        return self._over(head, bytes(self._buffer)) if self._passed == head.length else None

    def _pass(self, count: int) -> None:
        """Hand on the first `count` bytes of what there is."""
        if self._take and count:
            self._take(bytes(self._buffer[:count]))
        if len(self._body) < self._keep:
            self._body += self._buffer[: min(count, self._keep - len(self._body))]
        del self._buffer[:count]
        self._passed += count

    def _take_chunks(self, head: Head) -> Response | None:
        while self._take_chunk():
            end = self._buffer.find(b"\n")
            if end < 0:
                self._require_chunk()
                return None
            size = chunk_size(bytes(self._buffer[: end + 1]))
            if size == 0:
                return self._take_trailers(head, end + 1)
            del self._buffer[: end + 1]
            self._left, self._chunk_ends = size, True
        return None

    def _take_chunk(self) -> bool:
        """Hand on what there is of the chunk in hand; whether nothing of it is to come."""
        count = min(self._left, len(self._buffer))
        self._pass(count)
        self._left -= count
        if self._left or not self._chunk_ends:
            return not self._left
        if not b"\r\n".startswith(bytes(self._buffer[:2])):
            raise MalformedResponse("malformed chunk")
        if len(self._buffer) < 2:
            return False
        del self._buffer[:2]
        self._chunk_ends = False
        return True

    def _done(self, head: Head, body: bytes, leftover: bytes) -> Response:  # noqa: ARG002
        return self._over(head, leftover)

    def _over(self, head: Head, leftover: bytes) -> Response:
        response = Response(head, bytes(self._body), leftover, self._passed - len(self._body))
        self.reset()
        return response
