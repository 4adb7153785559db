"""An HTTP endpoint for one document that can be costly to make.

One thread makes and answers. Clients that ask while a document is made share the next one. None is
made when all have hung up. So clients can't pile up, however long it takes.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import cast

MOST = 64
"""Open connections; of more the one that has waited longest is closed."""
LATE_S = 0.5
"""A document that took longer than this to make is good for as long again."""
_LONGEST_HEAD = 16_384
_QUEUE = 512  # connections in the kernel's queue; of more each would be late by a second
# Steps of the event loop from a connection in the kernel's queue to the end that its client made
# of it: accepted, registered, read, read again; and as many to spare.
_TURNS = 8


class Endpoint:
    """Answers every request on `listener` with what `make` returns, from a thread."""

    def __init__(
        self, listener: socket.socket, make: Callable[[], bytes], content_type: str
    ) -> None:
        self._listener, self._make, self._content_type = listener, make, content_type
        self._open: dict[_Asker, None] = {}  # the oldest first
        self._asking: dict[_Asker, None] = {}
        self._answering: asyncio.Task[None] | None = None
        self._response, self._good_until = b"", 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="lab-metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def came(self, asker: _Asker) -> None:
        """Somebody has connected."""
        self._open[asker] = None
        if len(self._open) > MOST:
            oldest = next(iter(self._open))
            self.gone(oldest)
            oldest.hang_up()

    def asked(self, asker: _Asker) -> None:
        """They want the document."""
        self._asking[asker] = None
        if self._answering is None:
            self._answering = self._loop.create_task(self._answer())

    def gone(self, asker: _Asker) -> None:
        """They have hung up, or have been answered."""
        self._open.pop(asker, None)
        self._asking.pop(asker, None)

    async def _answer(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self._answering = None
        if self._asking:
            response = self._made()
            for asker in self._asking:
                asker.answer(response)
            self._asking.clear()

    def _made(self) -> bytes:
        begun = time.monotonic()
        if begun >= self._good_until:
            self._response = self._respond()
            took = time.monotonic() - begun
            self._good_until = begun + 2 * took if took > LATE_S else begun
        return self._response

    def _respond(self) -> bytes:
        try:
            return _response("200 OK", self._content_type, self._make())
        except Exception:  # a defect; the next question may meet a better moment
            traceback.print_exc(file=sys.stderr)
            return _response("500 Internal Server Error", "text/plain", b"its log says why\n")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Asker(self), sock=self._listener, backlog=MOST)
        )
        self._listener.listen(_QUEUE)  # the loop takes MOST at a time, and would queue no more
        self._loop.run_forever()
        server.close()
        for asker in tuple(self._open):
            asker.hang_up()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class _Asker(asyncio.Protocol):
    """One connection, for one question."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint, self._head = endpoint, bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._endpoint.came(self)

    def data_received(self, data: bytes) -> None:
        self._head += data
        if len(self._head) > _LONGEST_HEAD:
            self.hang_up()
        elif b"\r\n\r\n" in self._head:
            self._endpoint.asked(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._endpoint.gone(self)

    def answer(self, response: bytes) -> None:
        """Send it, then close."""
        self._transport.write(response)
        self._transport.close()

    def hang_up(self) -> None:
        """Close without a word."""
        self._transport.abort()


def _response(status: str, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
