"""One prepared request, what a right answer to it is, and how the answer comes about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from loadtest.engine.http1.responses import Response
from loadtest.engine.reactor import Reactor, W
from loadtest.system.sockets import Address

if TYPE_CHECKING:
    import ssl

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})  # RFC 9110, 9.2.2

Check = Callable[[Response], str]
Keep = Callable[[Response], None]


class Answer(NamedTuple):
    """How a request ended. `error` is empty where the answer is right.

    `reusable`: the connection can go on. `size` is that of the body, in bytes. `whole` is False
    where no answer came, or none that can be read. `reply` goes out at once. `lost` names the end
    of a connection that should have lasted; it counts as the failure of the next request.
    `lost_events` are those of a stream that never came.
    """

    error: str
    reusable: bool
    size: int = 0
    whole: bool = True
    reply: bytes = b""
    lost: str = ""
    lost_events: int = 0


def broken(error: str, reply: bytes = b"") -> Answer:
    """No answer: the connection is of no more use."""
    return Answer(error, reusable=False, whole=False, reply=reply)


class Dialogue(Protocol):
    """One connection's side of a protocol; made anew for each connection that is opened."""

    def opening(self) -> bytes:
        """What to send before the first request; empty where that may go out at once."""
        ...

    def feed(self, request: Request, data: bytes) -> Answer | bytes | None:
        """Take in bytes: an answer, bytes to send in turn, or nothing yet."""
        ...

    def ended(self, request: Request, /) -> Answer:
        """The server has closed the connection while `request` was in hand."""
        ...

    def unasked(self, data: bytes, /) -> Answer | bytes:
        """Bytes came between two requests (none: the server has closed).

        What to send in turn; or an Answer: the connection is over, an error only where it has one.
        """
        ...


class Owner(Protocol[W]):
    """What connections (W) belong to: it says what comes next and keeps what happened."""

    reactor: Reactor[W]
    address: Address | None
    tls: ssl.SSLContext | None
    runs_on: bool
    stopped: bool
    sent: int
    reconnects: int
    resent: int
    abandoned: int
    connections: set[W]
    quota: Quota

    def requests(self, connection: W, /) -> Iterator[Request]: ...
    def new_socket(self, family: int, /) -> Any: ...
    def series(self, request: Request, /) -> Any: ...
    def start(self, connection: W, now: float, /) -> None: ...
    def enter(self, connection: W, now: float, /) -> None: ...
    def leave(self, now: float, /) -> None: ...
    def record(self, connection: W, now: float, answer: Answer, size: int, /) -> None: ...
    def lost(self, connection: W, error: str, now: float, /) -> None: ...
    def ready(self, connection: W, now: float, /) -> None: ...
    def retry(self, connection: W, now: float, delay_s: float, /) -> None: ...


@dataclass(slots=True, eq=False)
class Request:
    """Bytes to send and the check of the answer.

    `check` gives the empty string where the answer is right, else the name to count it under
    ("status 503", "wrong body"). It must be a pure function of the response: `verified` is the last
    right answer, and one with the same bytes is not checked again. `keep` sees each right answer
    (for a cookie); a request with `keep` never skips the check. After the answer to the `last` one
    the connection is closed.
    """

    method: str
    path: str  # with a route's parameters named, as statistics show it: /items/{id}
    data: bytes
    check: Check
    dialogue: Callable[[], Dialogue]
    keep: Keep | None = None
    verified: bytes | None = field(default=None, repr=False)
    verified_size: int = 0  # of its body
    hits: int = 0  # answers equal to `verified` whose bytes are not in the series yet
    series: Any = field(default=None, repr=False)  # the Series of its latencies, set by the stream
    last: bool = False
    _closing: Request | None = field(default=None, init=False, repr=False)

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

    def closing(self) -> Request:
        """The same over HTTP, as the last one on its connection (RFC 9112, 9.6)."""
        if self._closing is None:
            line, end, rest = self.data.partition(b"\r\n")
            data = b"".join((line, end, b"Connection: close", end, rest))
            self._closing = replace(self, data=data, last=True, verified=None, hits=0)
        return self._closing

    @property
    def name(self) -> str:
        """How errors and statistics call it."""
        return f"{self.method} {self.path}"


class Turns(Iterator[Request]):
    """A connection's requests, at most `most` of them over one socket.

    `open_socket` tells which one the next request goes over; None where it opens a new one.
    """

    def __init__(
        self, requests: Iterator[Request], most: int, open_socket: Callable[[], Any]
    ) -> None:
        self._requests, self._most, self._open_socket = requests, most, open_socket
        self._asked, self._used = 0, None

    def __next__(self) -> Request:
        request, now = next(self._requests), self._open_socket()
        # A socket that is new here has had one request: it was opened for that.
        self._asked = 1 if now is None else self._asked + 1 if now is self._used else 2
        self._used = now
        return request.closing() if self._asked >= self._most else request


class Quota:
    """So many requests, for all connections that share it; without a number there is no end.

    The engine's loop draws from C code alone, so that counting costs it next to nothing.
    """

    def __init__(self, most: int | None = None) -> None:
        self._left = repeat(True) if most is None else repeat(True, most)
        self._endless = most is None

    def of(self, requests: Iterator[Request]) -> Iterator[Request]:
        """The same requests, until all are spent."""
        return requests if self._endless else compress(requests, self._left)

    def one_more(self) -> bool:
        """Whether one was left, for a request that is sent again; it is spent then."""
        return next(self._left, False)


Traffic = Callable[[], Iterator[Request]]  # what each new connection asks, one after another
