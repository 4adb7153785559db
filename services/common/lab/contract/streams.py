"""The Server-Sent Events of `/stream`, from code that blocks and from code that awaits.

Whoever closes the generator ends the stream: a server does where its client has left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

MEDIA_TYPE = "text/event-stream"


def threaded(n: int, ms: int) -> Iterator[bytes]:
    """`n` events, `ms` apart, from a thread that sleeps (a greenlet, where gevent has patched)."""
    for number in range(n):
        if number:
            time.sleep(ms / 1000)
        yield event(number)


async def evented(n: int, ms: int) -> AsyncIterator[bytes]:
    """The same from a task that is paused."""
    for number in range(n):
        if number:
            await asyncio.sleep(ms / 1000)
        yield event(number)


def event(number: int) -> bytes:
    """One event as it is sent."""
    return b'data: {"event": %d}\n\n' % number
