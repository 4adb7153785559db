"""One scenario against one service: the connections, what each does next, and what they did."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Iterator
from typing import Any

from loadtest.engine.after import After
from loadtest.engine.connection import Connection
from loadtest.engine.reactor import Reactor
from loadtest.engine.request import Answer, Quota, Request, Traffic, Turns
from loadtest.engine.tally import Batch, Occupancy, Series, Tally
from loadtest.engine.tls import TlsSocket
from loadtest.stats.histogram import Histogram
from loadtest.system.sockets import Address, new_socket

OPENING_INTERVAL_S = 0.0005  # gentle: a burst of connections lands on one worker of a service


class Stream:
    """Closed load: every connection sends as soon as it has its answer (after `think_s`).

    `address` None means that the host does not resolve: every request fails under that name.
    `timeout_s` is for one request, connecting included. With `tls` the certificate has to be for
    `server_name`. `requests_per_connection` as in `Load`. Streams may share a `quota`.
    """

    open_loop = False

    def __init__(
        self,
        reactor: Reactor[Connection],
        *,
        service: str,
        scenario: str,
        address: Address | None,
        traffic: Traffic,
        think_s: float = 0.0,
        timeout_s: float = 30.0,
        opening_interval_s: float = OPENING_INTERVAL_S,
        tls: ssl.SSLContext | None = None,
        server_name: str = "",
        requests_per_connection: int | None = None,
        quota: Quota | None = None,
    ) -> None:
        self.reactor, self.address, self.traffic = reactor, address, traffic
        self.service, self.scenario = service, scenario
        self.think_s, self.timeout_s = think_s, timeout_s
        self.opening_at, self.opening_interval_s = 0.0, opening_interval_s
        self.tls, self.server_name = tls, server_name
        self.requests_per_connection, self.quota = requests_per_connection, quota or Quota()
        self.runs_on = think_s == 0 and not self.open_loop and not requests_per_connection
        self.connections: set[Connection] = set()
        self.stopped = self.unreached = False  # unreached: a new connection has failed lately
        self.sent = self.failed = 0
        self.reconnects = self.resent = self.unsendable = self.abandoned = 0
        self.late, self.after = Histogram(), After(0.0, 0.0)
        self._series: dict[tuple[str, str], Series] = {}
        self._in_hand, self._paused = Occupancy(reactor.now()), Occupancy(reactor.now())

    @property
    def in_flight(self) -> int:
        """Requests in hand now."""
        return self._in_hand.count

    def requests(self, connection: Connection) -> Iterator[Request]:
        """What a new connection asks, one after another."""
        found, most = self.traffic(), self.requests_per_connection
        return self.quota.of(Turns(found, most, lambda: connection.sock) if most else found)

    def new_socket(self, family: int) -> Any:
        """A socket to the service."""
        plain = new_socket(family)
        return TlsSocket(plain, self.tls, self.server_name) if self.tls else plain

    def series(self, request: Request) -> Series:
        """Where the latencies of this kind of request go."""
        if request.series is None:
            key = request.method, request.path
            if key not in self._series:
                batch = Batch(self.service, self.scenario, *key)
                self._series[key] = Series(batch, open_loop=self.open_loop)
            request.series = self._series[key]
        series: Series = request.series
        return series

    def enter(self, connection: Connection, now: float) -> None:
        """The connection has a request in hand from now on."""
        assert connection.request is not None
        self.series(connection.request)
        self._in_hand.change(1, now)
        self.sent += 1

    def leave(self, now: float) -> None:
        """A request is no longer in hand."""
        self._in_hand.change(-1, now)

    def record(self, connection: Connection, now: float, answer: Answer, size: int) -> None:
        """Keep a finished request's latency, its error's name, its last `size` bytes."""
        request = connection.request
        assert request is not None
        series = self.series(request)
        series.service_time.append(now - connection.begun)
        series.received += size
        series.bodies += answer.size
        if answer.error:
            self.failed += 1
            series.failed += 1
            series.errors[answer.error] += 1
            series.lost_events += answer.lost_events
        if self.stopped:
            due = connection.intended if self.open_loop else connection.begun
            self.after.add(answer.error, now - connection.begun, now - due, now)

    def lost(self, connection: Connection, error: str, now: float) -> None:
        """A connection that should have lasted ended between two requests.

        The request that would have been the next one has failed, so that no loss is silent.
        """
        if not self.stopped and not connection.removed:
            connection.request = next(connection.requests, None)
        if connection.request is None:
            return
        connection.begun = connection.intended = now
        self.sent += 1
        self.record(connection, now, Answer(error, reusable=False), 0)
        connection.request = None

    def ready(self, connection: Connection, now: float) -> None:
        """The connection has no request in hand: what it does next."""
        if self.stopped or connection.removed:
            return
        if self.think_s:
            self.reactor.at(now + self.think_s, connection.start)
        else:
            connection.ask(now, now)

    def retry(self, connection: Connection, now: float, delay_s: float) -> None:
        """The connection failed and may try again after `delay_s`."""
        self.unreached = self.unreached or delay_s > 0
        self._paused.change(1, now)
        self.reactor.at(now + delay_s, lambda now: self._resume(connection, now))

    def _resume(self, connection: Connection, now: float) -> None:
        self._paused.change(-1, now)
        self.start(connection, now)

    def start(self, connection: Connection, now: float) -> None:
        """The time of a new, thinking or retrying connection has come."""
        if not self.stopped and not connection.removed and connection.request is None:
            connection.ask(now, now)

    def drain(self) -> None:
        """Move recorded latencies into histograms."""
        for series in self._series.values():
            series.drain(self.late)

    def take(self) -> list[Batch]:
        """What happened since the last time, by kind of request."""
        self.drain()
        batches = [series.take() for series in self._series.values()]
        return [batch for batch in batches if not batch.empty]

    def new_tally(self, now: float) -> Tally:
        """Begin to count anew: the tally of the window that begins now."""
        self._in_hand.take(now)
        self._paused.take(now)
        self.late = Histogram()
        tally = Tally(
            sent=self.in_flight,
            sent_before=self.sent - self.in_flight,
            failed_before=self.failed,
            carried_s=self._ages(now),
        )
        self.sent = self.failed = self.reconnects = self.unsendable = self.abandoned = 0
        return tally

    def close_tally(self, tally: Tally, now: float) -> None:
        """Complete the tally of the window that ends now."""
        tally.sent += self.sent
        tally.unfinished = self.in_flight + self.abandoned
        tally.unfinished_s = self._ages(now)
        tally.events.close(each.silence_s(now) for each in self.connections)
        tally.unsendable = self.unsendable
        tally.reconnects = self.reconnects
        tally.in_flight_s = self._in_hand.take(now)
        tally.paused_s = self._paused.take(now)
        tally.late.merge(self.late)
        slowest_s = tally.service_time.percentile_us(100) / 1e6 if tally.answered else 0.0
        self.after = After(now, slowest_s)

    def waits_for_more(self, now: float) -> bool:
        """Whether to go on reading after the window, for what was in hand at its end."""
        return self.in_flight > 0 and self.after.wait(now) == "wait"

    def settle(self, tally: Tally, now: float) -> None:
        """Say in the tally how the requests ended that were in hand at the window's end."""
        self.after.settle(tally, self._begun(), now)
        tally.resent = self.resent  # in the warm-up too, as the service counts

    def _begun(self) -> list[float]:
        return [each.begun for each in self.connections if each.request is not None]

    def _ages(self, now: float) -> float:
        return sum(now - begun for begun in self._begun())

    def sweep(self, now: float) -> None:
        """Fail the requests that have taken too long, and streams without an event for as long."""
        oldest = now - self.timeout_s
        for connection in list(self.connections):
            if connection.request is not None and connection.begun < oldest:
                connection.overdue(oldest, now)

    def stop(self) -> None:
        """Send nothing more; answers still come in."""
        self.stopped = True
        for connection in self.connections:
            connection.hot = False


class OpenStream(Stream):
    """Open load: a request is due at each of `arrivals`, whatever the service does.

    A due request goes out on a free connection, else on a new one, else it waits in line (its
    response time runs from the moment it was due). Connections are the cap. What is still in line
    at the end, or after `timeout_s`, was never sent: it counts as unsendable.
    """

    open_loop = True

    def __init__(self, *args: object, arrivals: Iterator[float], **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self._arrivals = arrivals
        self._started_at: float | None = None
        self.due_at = float("inf")
        self._line: deque[float] = deque()
        self._free: deque[Connection] = deque()
        self._unopened: deque[Connection] = deque()

    def record(self, connection: Connection, now: float, answer: Answer, size: int) -> None:
        super().record(connection, now, answer, size)
        assert connection.request is not None
        self.series(connection.request).response.append(now - connection.intended)

    def enter(self, connection: Connection, now: float) -> None:
        super().enter(connection, now)
        assert connection.request is not None
        self.series(connection.request).late.append(now - connection.intended)

    def start(self, connection: Connection, now: float) -> None:
        if self._started_at is None and not self.stopped:
            self._started_at = now
            self.due_at = now + next(self._arrivals)
        self.ready(connection, now)

    def ready(self, connection: Connection, now: float) -> None:
        if not connection.removed and not self.stopped:
            self._free.append(connection)
            self.send_due(now)

    def send_due(self, now: float) -> None:
        """Send what is due and has a free connection."""
        while self.due_at <= now:
            self._line.append(self.due_at)
            assert self._started_at is not None
            self.due_at = self._started_at + next(self._arrivals)
        while self._line and (connection := self._take_free()):
            connection.ask(self._line.popleft(), now)

    def _take_free(self) -> Connection | None:
        """In turn, so that every worker of the service gets its share; open ones first."""
        while self._free:
            connection = self._free.popleft()
            if connection.connected:
                return connection
            if not connection.removed:
                self._unopened.append(connection)
        while self._unopened:
            connection = self._unopened.popleft()
            if not connection.removed:
                return connection
        return None

    def sweep(self, now: float) -> None:
        super().sweep(now)
        while self._line and self._line[0] < now - self.timeout_s:
            self._line.popleft()
            self.unsendable += 1

    def close_tally(self, tally: Tally, now: float) -> None:
        self.unsendable += len(self._line)
        self._line.clear()
        super().close_tally(tally, now)

    def stop(self) -> None:
        super().stop()
        self.due_at = float("inf")
