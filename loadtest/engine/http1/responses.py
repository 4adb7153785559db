"""HTTP/1.1 responses out of a stream of bytes (RFC 9112), for one request in hand at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from loadtest.engine.http1.head import (
    LARGEST_BODY,
    Head,
    MalformedResponse,
    parse_fields,
    parse_head,
    size_of,
)

LARGEST_HEAD = 65_536
_KNOWN_HEADS = 1024
_START = b"HTTP/1."
_HEAD_END = re.compile(rb"\n\r?\n")  # a bare LF may end a line as well (RFC 9112, 2.2)
_CHUNK = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(?:;[^\r\n\0]*)?\r\n")
_CHUNK_BEGUN = re.compile(rb"(?:[0-9A-Fa-f]+[ \t]*(?:;[^\r\n\0]*)?\r?)?")


@dataclass(frozen=True, slots=True)
class Response:
    """One whole response. `leftover` is what came behind it.

    `passed` are bytes of its body that were handed on and not kept.
    """

    head: Head
    body: bytes
    leftover: bytes = b""
    passed: int = 0

    @property
    def size(self) -> int:
        """Bytes of the body, kept or not."""
        return len(self.body) + self.passed


class ResponseParser:
    """Takes bytes as they come and gives the response once it is whole.

    Heads repeat (only the date changes, once a second), so parsed heads are kept by their bytes.
    """

    _heads: dict[bytes, Head] = {}  # noqa: RUF012 - shared on purpose: heads are the same everywhere

    __slots__ = ("_body", "_buffer", "_head", "_scanned")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Be ready for the next response."""
        self._buffer = bytearray()
        self._head: Head | None = None
        self._body = bytearray()
        self._scanned = 0

    @property
    def empty(self) -> bool:
        """Whether no byte of a response has come yet."""
        return not self._buffer and self._head is None

    def feed(self, data: bytes) -> Response | None:
        """Take in `data`; the response if that completes it, else None.

        Raises MalformedResponse; the parser is of no use after that until `reset`.
        """
        self._buffer += data
        while self._head is None:
            if not self._take_head():
                return None
        return self._take_body(self._head)

    def finish(self) -> Response | None:
        """The server has closed: the response if that is its end, else None."""
        head = self._head
        if head is None or head.chunked or head.length is not None:
            return None
        return self._done(head, bytes(self._buffer), b"")

    def _take_head(self) -> bool:
        if not self._buffer.startswith(_START):
            _require_http(bytes(self._buffer[: len(_START)]))
        end = _HEAD_END.search(self._buffer, max(self._scanned - 2, 0))
        if len(self._buffer) > LARGEST_HEAD and not (end and end.start() <= LARGEST_HEAD):
            raise MalformedResponse("head too large")
        if end is None:
            self._scanned = len(self._buffer)
            return False
        head = self._parsed(bytes(self._buffer[: end.start()]))
        del self._buffer[: end.end()]
        self._scanned = 0
        if head.status >= 200:
            self._head = head
        elif head.status == 101:
            raise MalformedResponse("status 101")
        return True

    def _parsed(self, raw: bytes) -> Head:
        head = self._heads.get(raw)
        if head is None:
            if len(self._heads) >= _KNOWN_HEADS:
                self._heads.clear()
            head = self._heads[raw] = parse_head(raw)
        return head

    def _take_body(self, head: Head) -> Response | None:
        if head.chunked:
            return self._take_chunks(head)
        if head.length is None:
            if len(self._buffer) > LARGEST_BODY:
                raise MalformedResponse("body too large")
            return None
        if len(self._buffer) < head.length:
            return None
        return self._done(
            head, bytes(self._buffer[: head.length]), bytes(self._buffer[head.length :])
        )

    def _take_chunks(self, head: Head) -> Response | None:
        while (end := self._buffer.find(b"\n")) >= 0:
            size = chunk_size(bytes(self._buffer[: end + 1]))
            if size == 0:
                return self._take_trailers(head, end + 1)
            end += 1 + size
            if not b"\r\n".startswith(bytes(self._buffer[end : end + 2])):
                raise MalformedResponse("malformed chunk")
            if len(self._buffer) < end + 2:
                return None
            self._body += self._buffer[end - size : end]
            del self._buffer[: end + 2]
            if len(self._body) > LARGEST_BODY:
                raise MalformedResponse("body too large")
        self._require_chunk()
        return None

    def _require_chunk(self) -> None:
        """What there is has to be the beginning of a chunk's first line."""
        if len(self._buffer) > LARGEST_HEAD or not _CHUNK_BEGUN.fullmatch(self._buffer):
            raise MalformedResponse("malformed chunk")

    def _take_trailers(self, head: Head, start: int) -> Response | None:
        # The line end of the last chunk is the first half of the blank line where there are none.
        end = _HEAD_END.search(self._buffer, start - 1)
        if (end.start() if end else len(self._buffer)) - start > LARGEST_HEAD:
            raise MalformedResponse("head too large")
        if end is None:
            return None
        parse_fields(bytes(self._buffer[start : end.start()]))
        return self._done(head, bytes(self._body), bytes(self._buffer[end.end() :]))

    def _done(self, head: Head, body: bytes, leftover: bytes) -> Response:
        self.reset()
        return Response(head, body, leftover)


def _require_http(start: bytes) -> None:
    """The first bytes have to be those of a status line, so that anything else is known at once."""
    if start != _START[: len(start)]:
        other = start.startswith(b"HTTP/") and start[5:6].isdigit()
        raise MalformedResponse("other HTTP version" if other else "not HTTP")


def chunk_size(line: bytes) -> int:
    """The size in a line that begins a chunk, leading zeros and extensions allowed."""
    found = _CHUNK.fullmatch(line)
    if not found:
        raise MalformedResponse("malformed chunk")
    return size_of(found[1], 16)
