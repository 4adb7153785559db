"""HTTP/1.1 responses out of a stream of bytes (RFC 9112), for one request in hand at a time."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_HEAD = 65_536
LARGEST_BODY = 268_435_456
_KNOWN_HEADS = 1024


class MalformedResponse(Exception):
    """The bytes are not an HTTP/1.1 response."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers. `length` is the body's size, None where something else ends it."""

    status: int
    length: int | None
    chunked: bool
    keep_alive: bool
    fields: tuple[tuple[bytes, bytes], ...]

    def header(self, name: bytes) -> bytes | None:
        """The last value of a header; `name` in lower case."""
        return next((value for key, value in reversed(self.fields) if key == name), None)


@dataclass(frozen=True, slots=True)
class Response:
    """One whole response. `leftover` is what came behind it."""

    head: Head
    body: bytes
    leftover: bytes = b""


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
        end = self._buffer.find(b"\r\n\r\n", max(self._scanned - 3, 0))
        if end < 0:
            self._scanned = len(self._buffer)
            if self._scanned > LARGEST_HEAD or not _may_be_http(self._buffer):
                raise MalformedResponse
            return False
        head = self._parsed(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        self._scanned = 0
        if head.status >= 200:
            self._head = head
        elif head.status == 101:
            raise MalformedResponse
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
                raise MalformedResponse
            return None
        if len(self._buffer) < head.length:
            return None
        return self._done(
            head, bytes(self._buffer[: head.length]), bytes(self._buffer[head.length :])
        )

    def _take_chunks(self, head: Head) -> Response | None:
        while (end := self._buffer.find(b"\r\n")) >= 0:
            size = _chunk_size(bytes(self._buffer[:end]))
            if size == 0:
                return self._take_trailers(head, end)
            if len(self._buffer) < end + 2 + size + 2:
                return None
            if self._buffer[end + 2 + size : end + 4 + size] != b"\r\n":
                raise MalformedResponse
            self._body += self._buffer[end + 2 : end + 2 + size]
            del self._buffer[: end + 4 + size]
            if len(self._body) > LARGEST_BODY:
                raise MalformedResponse
        if len(self._buffer) > LARGEST_HEAD:
            raise MalformedResponse
        return None

    def _take_trailers(self, head: Head, last_chunk: int) -> Response | None:
        rest = self._buffer[last_chunk:]
        if rest.startswith(b"\r\n\r\n"):
            return self._done(head, bytes(self._body), bytes(rest[4:]))
        end = rest.find(b"\r\n\r\n")
        if end < 0:
            if len(rest) > LARGEST_HEAD:
                raise MalformedResponse
            return None
        return self._done(head, bytes(self._body), bytes(rest[end + 4 :]))

    def _done(self, head: Head, body: bytes, leftover: bytes) -> Response:
        self.reset()
        return Response(head, body, leftover)


def parse_head(raw: bytes) -> Head:
    """Status line and headers, without the blank line that ends them."""
    first, *lines = raw.split(b"\r\n")
    parts = first.split(b" ", 2)
    version = parts[0]
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or len(parts) < 2:
        raise MalformedResponse
    if len(parts[1]) != 3 or not parts[1].isdigit() or parts[1] < b"100":
        raise MalformedResponse
    fields = tuple(_field(line) for line in lines)
    status = int(parts[1])
    chunked = any(
        key == b"transfer-encoding" and value.lower().endswith(b"chunked") for key, value in fields
    )
    length = _length(status, fields)
    return Head(
        status=status,
        length=0 if status < 200 or status in (204, 304) else None if chunked else length,
        chunked=chunked and status not in (204, 304) and status >= 200,
        keep_alive=_keep_alive(version, fields) and (chunked or length is not None),
        fields=fields,
    )


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name or name != name.strip():
        raise MalformedResponse
    return name.lower(), value.strip(b" \t")


def _length(status: int, fields: tuple[tuple[bytes, bytes], ...]) -> int | None:
    if status < 200 or status in (204, 304):
        return 0
    lengths = {value for key, value in fields if key == b"content-length"}
    if not lengths:
        return None
    value = lengths.pop()
    if lengths or not value.isdigit() or len(value) > 9 or int(value) > LARGEST_BODY:
        raise MalformedResponse
    return int(value)


def _keep_alive(version: bytes, fields: tuple[tuple[bytes, bytes], ...]) -> bool:
    options = b",".join(value for key, value in fields if key == b"connection").lower()
    tokens = {token.strip() for token in options.split(b",")}
    if version == b"HTTP/1.0":
        return b"keep-alive" in tokens
    return b"close" not in tokens


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 8 or not all(d in b"0123456789abcdefABCDEF" for d in digits):
        raise MalformedResponse
    size = int(digits, 16)
    if size > LARGEST_BODY:
        raise MalformedResponse
    return size


def _may_be_http(start: bytearray) -> bool:
    """Whether the first bytes can still become a status line, so that garbage is known at once."""
    return start[:7] == b"HTTP/1."[: len(start)]
