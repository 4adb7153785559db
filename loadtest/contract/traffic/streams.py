"""Streams of events, and which event each is."""

from __future__ import annotations

import json

from loadtest.engine.request import Request
from loadtest.engine.sse.dialogue import stream_request


def request(host: str, events: int, ms: int) -> Request:
    """A stream of so many events, `ms` milliseconds apart."""
    return stream_request(host, f"/stream?n={events}&ms={ms}", "/stream", events, number)


def number(data: bytes) -> int | None:
    """Which event of the contract's stream has this data; None where it is none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.keys() != {"event"}:
        return None
    event = found["event"]
    return event if type(event) is int and event >= 0 else None
