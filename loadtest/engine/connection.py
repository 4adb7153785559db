"""One connection: opened when it is needed, one request in hand at a time, every end named."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Any

from loadtest.engine.request import Answer, Dialogue, Owner, Request, broken
from loadtest.engine.sse.dialogue import EventDialogue
from loadtest.system.sockets import READ, WRITE, error_name, name_of

READ_SIZE = 16_384
FIRST_DELAY_S, LONGEST_DELAY_S = 0.01, 1.0
CLOSED = frozenset({"connection closed", "connection reset"})


class Connection:
    """A connection of a load, over as many sockets as it takes.

    `hot`: a whole request is out and not a byte of its answer has come. Where that answer is known,
    the engine's loop deals with it by itself. All else comes here.
    """

    __slots__ = (
        *("_delay_s", "_dialogue", "_heard", "_opened_before", "_opened_for", "_outbox", "begun"),
        *("connected", "fd", "hot", "intended", "recv", "removed", "request", "requests", "send"),
        *("sock", "stream"),
    )

    def __init__(self, stream: Owner[Connection]) -> None:
        self.stream = stream
        self.requests: Iterator[Request] = stream.requests(self)
        self.request: Request | None = None
        self.begun = self.intended = 0.0  # of the request in hand: really, and as planned
        self.hot = self.connected = self.removed = False
        self.sock: Any = None
        self.fd = -1
        self._outbox = b""
        self._dialogue: Dialogue  # of the open socket
        self._opened_before = self._heard = False  # `_heard`: a byte of the answer in hand
        self._opened_for = 0.0  # when the request was begun for which the socket was opened
        self._delay_s = 0.0

    def start(self, now: float) -> None:
        """The engine's clock says that it is this connection's turn."""
        self.stream.start(self, now)

    def ask(self, intended: float, now: float) -> None:
        """Begin the next request; where there is none any more, stay as it is."""
        request = next(self.requests, None)
        if request is not None:
            self.begin(request, intended, now)

    def begin(self, request: Request, intended: float, now: float) -> None:
        """Take a request in hand and send it, on a new connection if there is none."""
        self.request = request
        self.begun = now
        self.intended = intended
        self.stream.enter(self, now)
        if self.connected:
            self._write(request.data)
        else:
            self._open(now)

    def _open(self, now: float) -> None:
        self._opened_for = self.begun
        if self.stream.address is None:
            self.fail(broken("host not found"), now)
            return
        family, address = self.stream.address
        try:
            self.sock = self.stream.new_socket(family)
            self.fd = self.sock.fileno()
            self.recv, self.send = self.sock.recv, self.sock.send
            self.stream.reactor.register(self, WRITE)
            code = self.sock.connect_ex(address)
        except OSError as error:
            code = error.errno or errno.EIO
        if code not in (0, errno.EINPROGRESS):
            self.fail(broken(error_name(code)), now)

    def _opened(self, now: float) -> None:
        if code := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.fail(broken(error_name(code)), now)
            return
        if self.stream.tls and not self._secured(now):
            return
        if self._opened_before:
            self.stream.reconnects += 1
        self._opened_before = self.connected = True
        assert self.request is not None
        self._dialogue = self.request.dialogue()
        self.stream.reactor.modify(self, READ)
        self._write(self._dialogue.opening() or self.request.data)

    def _secured(self, now: float) -> bool:
        """Whether the handshake of TLS is over; else it goes on with the poller's next event."""
        try:
            awaited: int = self.sock.shake()
        except OSError as error:
            self.fail(broken(name_of(error)), now)
            return False
        if awaited:
            self.stream.reactor.modify(self, awaited)
        return not awaited

    def _write(self, data: bytes) -> None:
        """Send `data`, behind what has not left yet."""
        if self._outbox:
            self._outbox += data
            return
        try:
            sent = self.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            unsent = self.request is not None and data is self.request.data
            self.broken(error, self.stream.reactor.now(), unsent=unsent)
            return
        if sent != len(data):
            self.hold_back(data[sent:])
        else:
            self.hot = not (self.request is None or self._heard or self.stream.stopped)

    def hold_back(self, rest: bytes) -> None:
        """The socket did not take all; `rest` goes out when it can."""
        self.hot = False
        self._outbox = rest
        self.stream.reactor.modify(self, READ | WRITE)

    def _leave(self, farewell: bytes) -> None:
        """Close, with some last bytes if the socket takes them."""
        if farewell and not self._outbox:
            with contextlib.suppress(OSError):
                self.send(farewell)
        self.close()

    def ready(self, mask: int, now: float) -> None:
        """The poller has something for this connection."""
        if not self.connected:
            self._opened(now)
            return
        if mask & WRITE and self._outbox:
            rest, self._outbox = self._outbox, b""
            self.stream.reactor.modify(self, READ)
            self._write(rest)
        if mask & ~WRITE and self.connected:
            self._read(now)

    def _read(self, now: float) -> None:
        try:
            data = self.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self.broken(error, now)
        else:
            self.take(data, now)

    def broken(self, error: OSError, now: float, *, unsent: bool = False) -> None:
        """Reading or sending failed; `unsent`: no byte of the request in hand has left."""
        self.hot = False
        if self.request is None:
            self._unasked(b"", now)
        else:
            self._end(broken(name_of(error)), now, unsent=unsent)

    def take(self, data: bytes, now: float) -> None:
        """Bytes came (none: the server has closed)."""
        self.hot = False
        if self.request is None:
            self._unasked(data, now)
        elif not data:
            self._finish(self._dialogue.ended(self.request), 0, now)
        else:
            self._heard = True
            self._feed(self.request, data, now)

    def _unasked(self, data: bytes, now: float) -> None:
        said = self._dialogue.unasked(data)
        if not isinstance(said, Answer):
            self._write(said)
            return
        self._delay_s = 0.0
        self._leave(said.reply)
        if said.error:
            self.stream.lost(self, said.error, now)

    def _feed(self, request: Request, data: bytes, now: float) -> None:
        answer = self._dialogue.feed(request, data)
        if isinstance(self._dialogue, EventDialogue):
            self._dialogue.note(self.stream.series(request), self.intended, now)
        if isinstance(answer, Answer):
            self._finish(answer, len(data), now)
            return
        self.stream.series(request).received += len(data)
        if answer:
            self._write(answer)

    def _finish(self, answer: Answer, size: int, now: float) -> None:
        if not answer.whole:
            self._end(answer, now, size)
            return
        self._delay_s = 0.0
        self.stream.record(self, now, answer, size)
        self._release(now)
        if not answer.reusable:
            self._leave(answer.reply)
        elif answer.reply:
            self._write(answer.reply)
        if answer.lost:
            self.stream.lost(self, answer.lost, now)
        self.stream.ready(self, now)

    def _end(self, answer: Answer, now: float, size: int = 0, *, unsent: bool = False) -> None:
        """The connection broke with a request in hand; where that is safe, send it on a new one.

        A server may close a kept connection at any time, also while a request is on its way
        (RFC 9112, 9.3.1). If no byte of an answer has come, a client may send again what is
        idempotent (RFC 9110, 9.2.2), and anything else only if none of it has left. It
        does so once: the new connection has not been used before.
        """
        assert self.request is not None
        kept = self._used and not self._heard and answer.error in CLOSED
        again = kept and self.request.resendable(unsent=unsent) and not self.stream.stopped
        if again and self.stream.quota.one_more():
            self._delay_s = 0.0
            self.stream.resent += 1
            self.close()
            self._open(now)
        else:
            self.fail(answer, now, size)

    @property
    def _used(self) -> bool:
        """Whether the socket has brought a whole answer before the request in hand."""
        return self.begun > self._opened_for

    def silence_s(self, now: float) -> float | None:
        """Since when no event of the stream in hand has come; None where there is no stream."""
        if self.request is None or not self.connected:
            return None
        return self._dialogue.silence_s(now) if isinstance(self._dialogue, EventDialogue) else None

    def overdue(self, since: float, now: float) -> None:
        """The request in hand was begun before `since`, and has failed unless events of it came."""
        answer: Answer | None = broken("timeout")
        if self.connected and isinstance(self._dialogue, EventDialogue):
            answer = self._dialogue.overdue(since)
        if answer is not None:
            self.fail(answer, now)

    def fail(self, answer: Answer, now: float, size: int = 0) -> None:
        """Count the request in hand as failed, close, and try again.

        At once where the connection has worked, else after a pause that doubles with each failure
        in a row: a service that is down costs no CPU.
        """
        longer = min(max(self._delay_s * 2, FIRST_DELAY_S), LONGEST_DELAY_S)
        self._delay_s = 0.0 if self._used else longer
        self.stream.record(self, now, answer, size)
        self._release(now)
        self._leave(answer.reply)
        if not self.removed:
            self.stream.retry(self, now, self._delay_s)

    def rest(self, now: float) -> None:
        """Its answer has come, and there is nothing more to ask."""
        self.hot = False
        self._release(now)

    def _release(self, now: float) -> None:
        if self.request and self.request.last:
            self._opened_before = False  # it is opened anew as planned
        self.request = None
        self._heard = False
        self.stream.leave(now)

    def close(self) -> None:
        """Close the socket; the connection opens a new one when it next needs it."""
        self.hot = self.connected = False
        self._outbox = b""
        if self.sock is not None:
            self.stream.reactor.unregister(self)
            self.sock.close()
            self.sock = None

    def remove(self, now: float) -> None:
        """Leave the load; a request in hand is abandoned and counts as unfinished."""
        self.removed = True
        if self.request is not None:
            self.stream.abandoned += 1
            self.stream.series(self.request).abandoned += 1
            self._release(now)
        self.close()
        self.stream.connections.discard(self)
