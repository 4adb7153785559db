"""JSON bodies: media type, size, syntax, in the contract's order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import re
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, NoReturn, Protocol

import orjson

from lab import internals
from lab.contract import errors

if "gunicorn" in sys.modules:  # the server that runs this
    internals.check(__name__)

LIMIT_BYTES = 262_144
DEEPEST = 10_000
"""How deep JSON may be nested: deeper is malformed."""
# Strings whole, also one that never ends: none of it is looked at twice.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[][{}]', re.DOTALL)
WAIT_S = 10.0
"""How long a body may take, from the first look at it to its last byte."""
DRAIN_S, SILENCE_S = 10.0, 1.0
"""How long a refused body is read away at most, and how long its next bytes may take."""
PATIENCE = "lab.patience"
"""In a WSGI environment: how this server's body is read with a limit, where it isn't gunicorn's.

A context manager is made of it by the moment of `time.monotonic` at which the time is over, and by
the seconds that the next bytes may take.
"""


class Stream(Protocol):
    """A WSGI input stream."""

    def read(self, size: int, /) -> bytes: ...


def check_head(content_type: str | None, content_length: str | None) -> None:
    """Judge a body by its headers, before it is read; raises a Fault 415 or 413.

    `content_length` is None for a chunked body: count its bytes against LIMIT_BYTES while reading.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise errors.unsupported_media_type()
    if content_length and content_length.isdigit() and int(content_length) > LIMIT_BYTES:
        raise errors.too_large(LIMIT_BYTES)


def check_size(size: int) -> None:
    """Raises a Fault 413 where `size` bytes are over the limit."""
    if size > LIMIT_BYTES:
        raise errors.too_large(LIMIT_BYTES)


def read(stream: Stream, head: Mapping[str, Any]) -> bytes:
    """Read a body under WSGI; raises a Fault 415, 413 or 400, checked in that order.

    `stream` ends where the body ends, chunked or not; `head` is the WSGI environment. Before a
    fault is answered, `drain`.
    """
    content_length = head.get("CONTENT_LENGTH")
    check_head(head.get("CONTENT_TYPE"), content_length)
    with _patience(head, time.monotonic() + WAIT_S):
        raw = _take(stream, LIMIT_BYTES + 1)
    check_size(len(raw))
    if content_length and content_length.isdigit() and len(raw) < int(content_length):
        raise cut_short()
    return raw


async def gathered(chunks: AsyncIterator[bytes], head: Mapping[str, str]) -> bytes:
    """A body that comes in chunks, its headers in `head`; raises a Fault 415, 413 or 400."""
    check_head(head.get("content-type"), head.get("content-length"))
    raw, end = bytearray(), time.monotonic() + WAIT_S
    try:
        async with asyncio.timeout(WAIT_S):
            async for chunk in chunks:
                raw += chunk
                check_size(len(raw))
                _check_time(end)
    except TimeoutError:
        raise late() from None
    return bytes(raw)


def _check_time(end: float) -> None:
    """Raises TimeoutError after `end`, a moment of `time.monotonic`.

    A chunk that comes as the time is over may swallow the timeout: `asyncio.wait_for` does so up
    to Python 3.11, and gunicorn's ASGI worker waits by it. Without this it would be lost for good.
    """
    if time.monotonic() >= end:
        raise TimeoutError


async def drained(chunks: AsyncIterator[bytes], head: Mapping[str, str]) -> None:
    """Read away what is left of a refused body before it is refused, as `drain` does under WSGI.

    Most servers close a connection on which a body is left, and the answer does not say so. A
    client that waits to be told to go on (`Expect`) sends none.
    """
    if "expect" in head:
        return
    end = time.monotonic() + DRAIN_S
    with contextlib.suppress(TimeoutError, StopAsyncIteration):
        async with asyncio.timeout(DRAIN_S):
            while True:
                async with asyncio.timeout(SILENCE_S):
                    await anext(chunks)
                _check_time(end)


def cut_short() -> errors.Fault:
    """400: the client was gone before the body was whole."""
    return errors.malformed("the body was cut short")


def late() -> errors.Fault:
    """400: the body did not come in time."""
    return errors.malformed(f"the body was not whole after {WAIT_S:.0f} s")


def drain(environ: Mapping[str, Any]) -> None:
    """Read away what is left of a request's body under WSGI, before the request is refused.

    gunicorn closes a kept connection that has 64 KiB or more left on it, and its answer does not
    say so. A client that still sends would lose the answer. One that has stopped gets it soon.
    """
    end = time.monotonic() + DRAIN_S
    with contextlib.suppress(errors.Fault), _patience(environ, end, SILENCE_S):
        while _take(environ["wsgi.input"], 65_536) and time.monotonic() < end:
            pass


class _Patient:
    """A client's connection until `end`, and while it is silent for `silence_s` seconds at most.

    A timeout of the socket alone would begin anew with every byte.
    """

    def __init__(self, connection: socket.socket, end: float, silence_s: float) -> None:
        self._connection, self._end, self._silence_s = connection, end, silence_s

    def recv(self, size: int) -> bytes:
        try:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(min(left, self._silence_s))
            return self._connection.recv(size)
        except TimeoutError:
            # Nobody waits for the rest: not `drain`, not gunicorn before the next request.
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RD)
            raise


@contextlib.contextmanager
def _patience(
    environ: Mapping[str, Any], end: float, silence_s: float = math.inf
) -> Iterator[None]:
    """Read a client's bytes as `_Patient` does, where the server is gunicorn or has a way."""
    if PATIENCE in environ:
        with environ[PATIENCE](end, silence_s):
            yield
        return
    unreader, connection = _unreader(environ), environ.get("gunicorn.socket")
    if unreader is None or connection is None:
        yield
        return
    before = connection.gettimeout()
    unreader.sock = _Patient(connection, end, silence_s)
    try:
        yield
    finally:
        unreader.sock = connection
        connection.settimeout(before)


def _unreader(environ: Mapping[str, Any]) -> Any:
    """What gunicorn's reader of a body takes its bytes from; a chunked body's knows its request."""
    reader = getattr(environ.get("wsgi.input"), "reader", None)
    return getattr(getattr(reader, "req", reader), "unreader", None)


def _take(stream: Stream, size: int) -> bytes:
    try:
        return stream.read(size)
    except TimeoutError:
        raise late() from None
    except Exception:  # each server has its own, for bad chunks, a client that is gone
        raise errors.malformed("the body cannot be read") from None


def parse(raw: bytes) -> Any:
    """The value of a JSON text; raises a Fault 400 (422 where a member's name is not text).

    Integers beyond 64 bits may come as floats (they are out of range everywhere in the contract).
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _tolerant(raw)


def _tolerant(raw: bytes) -> Any:
    """orjson refuses lone surrogates and huge numbers: wrong values to us, not wrong syntax."""
    if _depth(raw) > DEEPEST:  # how deep json itself goes differs with the interpreter
        raise errors.malformed("the body is not JSON: too deep")
    try:
        return json.loads(
            raw.decode("utf-8"),
            parse_constant=_refuse,
            parse_int=_integer,
            object_pairs_hook=_members,
        )
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0] if isinstance(error, ValueError) else "too deep"
        raise errors.malformed(f"the body is not JSON: {reason}") from None


def _depth(raw: bytes) -> int:
    """How many lists and objects are open at once, at most."""
    deepest = depth = 0
    for token in _BRACKETS.findall(raw):
        depth += (token in b"[{") - (token in b"]}")
        deepest = max(deepest, depth)
    return deepest


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that is not text could not be given back in an error, so the body is named instead."""
    for name, _ in pairs:
        if any("\ud800" <= character <= "\udfff" for character in name):
            raise errors.invalid(("body", "a name in it has a lone surrogate"))
    return dict(pairs)


def _integer(text: str) -> int | float:
    """Python refuses to read more than 4,300 digits; a float says "out of range" as well."""
    return int(text) if len(text) <= 20 else float(text)
