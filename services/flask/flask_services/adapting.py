"""What a2wsgi doesn't pass on: that a body ends, takes too long or is cut short, and that a client
has left its stream.

One part stands around the adapter, where ASGI says so; the other within, where WSGI asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import string
import threading
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from lab import internals
from lab.contract import bodies
from lab.contract.routes import STREAM
from lab.metrics.counting import ASGIApp, Message, Receive, Scope, Send, StartResponse, WSGIApp

internals.check(__name__)

_LEFT = "lab.left"  # in the scope: an event, set when the client of a stream has left


def around(adapter: ASGIApp) -> ASGIApp:
    """The adapter, told only what it understands."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await adapter(scope, receive, send)
        scope = {**scope, "query_string": _ascii(scope["query_string"])}
        if scope["path"] == STREAM:
            return await _watched(adapter, scope, receive, send)
        return await adapter(scope, receive, send)

    return answer


def _ascii(query: bytes) -> bytes:
    """As it came, but for bytes that are no ASCII: a2wsgi would fail at them."""
    return query if query.isascii() else quote(query, safe=string.punctuation).encode()


async def _watched(adapter: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Tell a stream when its client has left. Its request has no body that anybody reads."""
    left = threading.Event()

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    watching = asyncio.create_task(watch())
    try:
        await adapter({**scope, _LEFT: left}, nothing, send)
    finally:
        watching.cancel()


def within(app: WSGIApp) -> WSGIApp:
    """The application, told what else ASGI knows of its request."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input_terminated"] = True  # a chunked body ends, too
        environ[bodies.PATIENCE] = partial(_patience, environ["wsgi.input"])
        parts = app(environ, start_response)
        left = environ["asgi.scope"].get(_LEFT)
        return parts if left is None else _until(left, parts)

    return answer


def _until(left: threading.Event, parts: Iterable[bytes]) -> Iterator[bytes]:
    try:
        for part in parts:
            if left.is_set():
                return
            yield part
    finally:
        close: Any = getattr(parts, "close", None)
        if close is not None:
            close()


@contextlib.contextmanager
def _patience(body: Any, end: float, silence_s: float = math.inf) -> Iterator[None]:
    """Read a body until `end`, and while its client is silent for `silence_s` seconds at most."""
    receive: Receive = body.receive

    async def soon() -> Message:
        left = end - time.monotonic()
        async with asyncio.timeout(max(0.0, min(left, silence_s))):
            message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client has left")
        return message

    body.receive = soon
    try:
        yield
    finally:
        body.receive = receive
