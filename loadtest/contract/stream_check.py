"""Does `/stream` send its events, and each when it is due?"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 20.0
DEFAULT_N, DEFAULT_MS = 10, 100
GOES = 3  # a busy machine may bring two events together now and then


def check_stream(base_url: str) -> Iterator[str]:
    """One line for each thing that is wrong; raises OSError, HTTPException or ValueError."""
    with _asked(base_url, "/stream?ms=0") as answer:
        kind = answer.headers.get("Content-Type", "")
        text = answer.read().decode()
    if answer.status != 200 or not kind.startswith("text/event-stream"):
        yield f"{answer.status} {kind!r} {text[:80]!r}, want 200 and text/event-stream"
        return
    if events(text) != [{"event": number} for number in range(DEFAULT_N)]:
        yield f"{text[:160]!r}, want {DEFAULT_N} events, counted from 0"
    elif not any(_apart(base_url) for _ in range(GOES)):
        yield f"two events come together, want the first at once, the other {DEFAULT_MS} ms later"


def events(text: str) -> list[Any]:
    """The data of each event that is whole, as JSON; comments and other fields do not count."""
    found = []
    *whole, _ = text.replace("\r\n", "\n").split("\n\n")
    for lines in map(str.splitlines, whole):
        data = [line.removeprefix("data:") for line in lines if line.startswith("data:")]
        if data:
            found.append(json.loads("\n".join(data)))
    return found


def _apart(base_url: str) -> bool:
    """Whether the first of two events comes well before the second."""
    with _asked(base_url, "/stream?n=2") as answer:
        answer.readline()
        since = time.monotonic()
        answer.read()
    return time.monotonic() - since > DEFAULT_MS / 2000


@contextmanager
def _asked(base_url: str, target: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=TIMEOUT_S)
    with closing(connection):
        connection.request("GET", target)
        with connection.getresponse() as answer:
            yield answer
