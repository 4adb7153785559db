"""Requests over HTTP/1.1, the checks of their answers, and one connection's side of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from loadtest.engine.http1.head import MalformedResponse
from loadtest.engine.http1.responses import Response, ResponseParser
from loadtest.engine.request import Answer, Check, Dialogue, Keep, Request, broken


def http_request(
    method: str,
    host: str,
    target: str,
    check: Check,
    *,
    path: str = "",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    keep: Keep | None = None,
    dialogue: Callable[[], Dialogue] | None = None,
) -> Request:
    """Prepare a request to `target` (path and query) on `host`; `body` is sent as JSON."""
    fields = {"Host": host, "Accept": "application/json", **(headers or {})}
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{key}: {value}" for key, value in fields.items()]
    content = b""
    if body is not None:
        content = json.dumps(body, separators=(",", ":")).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    data = "\r\n".join([*lines, "", ""]).encode("latin-1") + content
    return Request(method, path or target, data, check, dialogue or HttpDialogue, keep)


def json_is(expected: Any, status: int = 200) -> Check:
    """The answer is `status` with exactly this JSON value, however it is spaced."""
    return json_fits(lambda value: bool(value == expected), status)


def json_fits(fits: Callable[[Any], bool], status: int = 200) -> Check:
    """The answer is `status` with a JSON value for which `fits` holds."""

    def check(response: Response) -> str:
        if response.head.status != status:
            return f"status {response.head.status}"
        try:
            return "" if fits(json.loads(response.body)) else "wrong body"
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            return "wrong body"

    return check


def body_is(expected: bytes, status: int = 200) -> Check:
    """The answer is `status` with exactly these bytes."""

    def check(response: Response) -> str:
        if response.head.status != status:
            return f"status {response.head.status}"
        return "" if response.body == expected else "wrong body"

    return check


class HttpDialogue:
    """HTTP/1.1 with one request in hand. Without a `parser` whole bodies are kept."""

    __slots__ = ("_parser",)

    def __init__(self, parser: ResponseParser | None = None) -> None:
        self._parser = parser or ResponseParser()

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
        goes_on = response.head.keep_alive and not request.last
        if not error and request.keep:
            request.keep(response)
        elif not error and whole and goes_on:
            request.verify(data, response.size)
        return Answer(error, goes_on, response.size)

    def ended(self, request: Request) -> Answer:
        if self._parser.empty:
            return broken("connection closed")
        response = self._parser.finish()
        if response is None:
            return broken("cut answer")
        error = request.check(response)
        if not error and request.keep:
            request.keep(response)
        return Answer(error, reusable=False, size=response.size)

    def unasked(self, _: bytes, /) -> Answer:
        """Nothing that comes now can be an answer (RFC 9112, 9.2); a kept connection may end."""
        return Answer("", reusable=False)
