"""The Server-Sent Events of `/stream`, from code that blocks and from code that awaits.

Whoever closes the generator ends the stream: a server does where its client has left.
"""

from __future__ import annotations

import asyncio
import errno
import select
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

MEDIA_TYPE = "text/event-stream"


def threaded(n: int, ms: int, client: socket.socket | None = None) -> Iterator[bytes]:
    """`n` events, `ms` apart, from a thread that sleeps (a greenlet, where gevent has patched)."""
    for number in range(n):
        if number:
            sleep(ms / 1000, client)
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


def client(environ: Mapping[str, Any]) -> socket.socket | None:
    """The connection of a request's client, where the server hands it out: gunicorn does."""
    found: socket.socket | None = environ.get("gunicorn.socket")
    return found


def sleep(seconds: float, client: socket.socket | None) -> None:
    """Wait so long; BrokenPipeError as soon as `client` has left, as if something had been sent.

    A client that has sent more is not watched: then it is the next event that tells.
    """
    if client is None:
        time.sleep(seconds)
        return
    end = time.monotonic() + seconds
    if _readable(client, seconds):
        if _left(client):
            raise BrokenPipeError(errno.EPIPE, "the client has left")
        time.sleep(max(0.0, end - time.monotonic()))


def _readable(client: socket.socket, seconds: float) -> bool:
    """Whether bytes come within so long, or the end of them."""
    poller = select.poll()
    poller.register(client, select.POLLIN)
    return bool(poller.poll(seconds * 1000))


def _left(client: socket.socket) -> bool:
    """Whether a readable connection has ended; what can be read stays there."""
    try:
        return not client.recv(1, socket.MSG_PEEK)
    except OSError:  # reset
        return True
    except ValueError:  # secured: nobody can look without reading
        return False
