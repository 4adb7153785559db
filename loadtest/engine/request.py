"""One prepared request and what a right answer to it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.engine.http1 import Response
from loadtest.engine.protocol import Dialogue, HttpDialogue

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})  # RFC 9110, 9.2.2

Check = Callable[[Response], str]
Keep = Callable[[Response], None]


@dataclass(slots=True, eq=False)
class Request:
    """Bytes to send and the check of the answer.

    `check` gives the empty string where the answer is right, else the name to count it under
    ("status 503", "wrong body"). It has to be a pure function of the response: an answer equal
    byte for byte to `verified`, the last one found right, is not checked again. `keep` sees
    each right answer (for a cookie); a request with `keep` never skips the check.
    """

    method: str
    path: str  # with a route's parameters named, as statistics show it: /items/{id}
    data: bytes
    check: Check
    keep: Keep | None = None
    dialogue: Callable[[], Dialogue] = HttpDialogue
    verified: bytes | None = field(default=None, repr=False)
    verified_size: int = 0  # of its body
    hits: int = 0  # answers equal to `verified` whose bytes are not in the series yet
    series: Any = field(default=None, repr=False)  # the Series of its latencies, set by the stream

    def verify(self, answer: bytes, size: int) -> None:
        """From now on answers like this one, with a body of `size` bytes, are known to be right."""
        self.settle()
        self.verified = answer
        self.verified_size = size
        if self.series is not None:
            self.series.repeated.add(self)

    def settle(self) -> None:
        """Add the bytes of the repeated answers to the series."""
        if self.verified and self.hits:
            self.series.received += self.hits * len(self.verified)
            self.series.bodies += self.hits * self.verified_size
            self.hits = 0

    def resendable(self, *, unsent: bool) -> bool:
        """Whether it may go out again after its connection closed without an answer.

        If some of it has left it may have been processed: then only what is idempotent. A
        WebSocket should have lasted, so that its loss is never mended in silence.
        """
        return self.method in IDEMPOTENT or (unsent and self.method != "WS")

    @property
    def name(self) -> str:
        """How errors and statistics call it."""
        return f"{self.method} {self.path}"


Traffic = Callable[[], Iterator[Request]]  # what each new connection asks, one after another


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
) -> Request:
    """Prepare a request to `target` (path and query) on `host`; `body` is sent as JSON."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Accept: application/json"]
    lines += [f"{key}: {value}" for key, value in (headers or {}).items()]
    content = b""
    if body is not None:
        content = json.dumps(body, separators=(",", ":")).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    data = "\r\n".join([*lines, "", ""]).encode("latin-1") + content
    return Request(method, path or target, data, check, keep)


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
