"""The head of an HTTP/1.1 response: status line, fields, and what they say of the body.

What a user agent may accept by RFC 9112 is accepted, the rest refused under its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LARGEST_BODY = 268_435_456
Fields = tuple[tuple[bytes, bytes], ...]
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9])[ \t]+([1-9][0-9]{2})(?:[ \t].*)?")
_FOLD = re.compile(rb"[ \t]*\n[ \t]+")


class MalformedResponse(Exception):
    """The bytes are no HTTP/1.1 response; the message is the name to count that under."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers. `length` is the body's size, None where something else ends it."""

    status: int
    length: int | None
    chunked: bool
    keep_alive: bool
    fields: Fields

    def header(self, name: bytes) -> bytes | None:
        """The last value of a header; `name` in lower case."""
        return next((value for key, value in reversed(self.fields) if key == name), None)


def parse_head(raw: bytes, *, bodiless: bool = False) -> Head:
    """Status line and headers, without the blank line that ends them.

    `bodiless`: of an answer that has no body whatever its head says, as to HEAD.
    """
    line, _, rest = raw.partition(b"\n")
    minor, status = _status_line(line.removesuffix(b"\r"))
    fields = parse_fields(rest)
    bodiless = bodiless or status < 200 or status in (204, 304)
    chunked = not bodiless and _chunked(fields)
    length = 0 if bodiless else None if chunked else _length(fields)
    return Head(
        status=status,
        length=length,
        chunked=chunked,
        keep_alive=_keep_alive(minor, fields) and (chunked or length is not None),
        fields=fields,
    )


def _status_line(line: bytes) -> tuple[int, int]:
    """Minor version and status; blanks of any number between them (RFC 9112, 4)."""
    found = _STATUS_LINE.fullmatch(line)
    if not found or b"\r" in line or b"\0" in line:
        raise MalformedResponse("malformed status line")
    return int(found[1]), int(found[2])


def parse_fields(raw: bytes) -> Fields:
    """Header or trailer fields; names in lower case, folded lines joined (RFC 9112, 5.2)."""
    text = raw.replace(b"\r\n", b"\n").removesuffix(b"\r")
    if b"\r" in text or b"\0" in text or text[:1] in (b" ", b"\t"):
        raise MalformedResponse("malformed header")
    lines = _FOLD.sub(b" ", text).split(b"\n") if text else []
    return tuple(_field(line) for line in lines)


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not _TOKEN.fullmatch(name):
        raise MalformedResponse("malformed header")
    return name.lower(), value.strip(b" \t")


def _members(fields: Fields, name: bytes) -> list[bytes] | None:
    """The members of a list, in however many lines it comes (RFC 9110, 5.6.1); None without it."""
    values = [value for key, value in fields if key == name]
    if not values:
        return None
    return [member for each in b",".join(values).split(b",") if (member := each.strip(b" \t"))]


def _chunked(fields: Fields) -> bool:
    """Whether the body comes in chunks; any other coding is one that was not asked for."""
    codings = _members(fields, b"transfer-encoding")
    if codings is not None and [each.lower() for each in codings] != [b"chunked"]:
        raise MalformedResponse("unknown transfer coding")
    return codings is not None


def _length(fields: Fields) -> int | None:
    """Content-Length, which may be there more than once if all agree (RFC 9112, 6.3)."""
    found = _members(fields, b"content-length")
    if found is None:
        return None
    if len({value.lstrip(b"0") for value in found}) != 1 or not all(map(bytes.isdigit, found)):
        raise MalformedResponse("malformed length")
    return size_of(found[0], 10)


def size_of(digits: bytes, base: int) -> int:
    """The size of a body or a chunk; leading zeros in any number are allowed."""
    digits = digits.lstrip(b"0") or b"0"
    if len(digits) > len(str(LARGEST_BODY)) or int(digits, base) > LARGEST_BODY:
        raise MalformedResponse("body too large")
    return int(digits, base)


def _keep_alive(minor: int, fields: Fields) -> bool:
    options = {option.lower() for option in _members(fields, b"connection") or ()}
    if minor:
        return b"close" not in options
    # A transfer coding in HTTP/1.0 is framing at fault (RFC 9112, 6.1).
    return b"keep-alive" in options and _members(fields, b"transfer-encoding") is None
