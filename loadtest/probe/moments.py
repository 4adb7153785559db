"""Connections that keep the moment of every answer, and what they may spend."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from loadtest.engine.connection import Connection
from loadtest.engine.engine import Engine
from loadtest.engine.own_request import own_traffic
from loadtest.engine.request import Answer, Quota
from loadtest.engine.stream import Stream
from loadtest.engine.tls import client_context
from loadtest.model.target import Target
from loadtest.probe import growth
from loadtest.probe.limits import Allowance
from loadtest.probe.record import LATE
from loadtest.system import urls
from loadtest.system.sockets import Address

SITS_OUT_S = 0.05  # after a wrong answer: a service that refuses need not be asked at once again
GENTLE_S = 0.002  # between two connections that are opened
FEW_ANSWERS = 4  # that are waited for where they are late
LAST_ANSWERS_S = 10.0  # so long at least it is waited for what is in hand at the end of a part


class Moment(NamedTuple):
    """One answer: when its request was begun, when it ended, what was wrong with it."""

    begun: float
    ended: float
    error: str


class Spending(Quota):
    """What is sent again, because a connection was closed meanwhile, is spent as well."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__()
        self._allowance = allowance

    def one_more(self) -> bool:
        if self._allowance.sent >= self._allowance.requests:
            return False
        self._allowance.sent += 1
        return True


class Asking(Stream):
    """A closed load of one target. `held`: who has its answer waits until it is let go."""

    def __init__(self, *args: Any, allowance: Allowance, held: bool = False, **options: Any):
        super().__init__(*args, **options)
        self.runs_on = False  # each answer passes through `record`
        self.allowance = allowance
        self.held = held
        self.moments: list[Moment] = []
        self.waiting: list[Connection] = []
        self.wanted = math.inf  # connections: above it, each leaves once it has its answer
        self._refused: set[Connection] = set()

    def enter(self, connection: Connection, now: float) -> None:
        self.allowance.sent += 1
        super().enter(connection, now)

    def record(self, connection: Connection, now: float, answer: Answer, size: int) -> None:
        self.moments.append(Moment(connection.begun, now, answer.error))
        if answer.error:
            self._refused.add(connection)
        super().record(connection, now, answer, size)

    def ready(self, connection: Connection, now: float) -> None:
        if len(self.connections) > self.wanted:
            connection.remove(now)
        elif self.held:
            self._wait(connection)
        elif connection in self._refused:
            self._refused.discard(connection)
            self.reactor.at(now + SITS_OUT_S, connection.start)
        else:
            self.start(connection, now)

    def retry(self, connection: Connection, now: float, delay_s: float) -> None:
        self._refused.discard(connection)
        if self.held:
            self._wait(connection)
        else:
            super().retry(connection, now, max(delay_s, SITS_OUT_S))

    def start(self, connection: Connection, now: float) -> None:
        if not self.allowance.used_up:
            super().start(connection, now)

    def _wait(self, connection: Connection) -> None:
        if not connection.removed:
            self.waiting.append(connection)

    def took(self, begun: int = 0) -> list[float]:
        """What each right answer took, from the answer with that number on."""
        return [each.ended - each.begun for each in self.moments[begun:] if not each.error]

    def begun_in_hand(self) -> list[float]:
        """When each request was begun that has no answer yet."""
        return self._begun()

    def let_go(self) -> None:
        """Everybody who waits asks now."""
        waiting, self.waiting = self.waiting, []
        for connection in waiting:
            now = self.reactor.now()
            connection.begin(next(connection.requests), now, now)


class Asker:
    """An engine, and streams to targets at known addresses.

    `behind`: the service may still work on requests of a part that is over, so that what is asked
    now waits behind them.
    """

    def __init__(self, allowance: Allowance) -> None:
        self.engine = Engine()
        self.allowance = allowance
        self.behind = False

    @contextlib.contextmanager
    def asking(self, target: Target, address: Address, *, held: bool = False) -> Iterator[Asking]:
        """A stream without a connection yet; it and its connections end with the block."""
        secured = target.url.startswith("https:")
        stream = Asking(
            self.engine,
            service="probed",
            scenario=target.method,
            address=address,
            traffic=own_traffic(target),
            timeout_s=self.allowance.timeout_s,
            opening_interval_s=GENTLE_S,
            tls=client_context(insecure=target.insecure) if secured else None,
            server_name=urls.endpoint(target.url)[0],
            allowance=self.allowance,
            held=held,
            quota=Spending(self.allowance),
        )
        self.engine.add_stream(stream)
        try:
            yield stream
        finally:
            self.engine.remove_stream(stream)

    def open(self, stream: Asking, connections: int) -> None:
        """Open more connections, until there are so many."""
        for _ in range(connections - len(stream.connections)):
            self.engine.add_connection(stream)

    def close_some(self, stream: Asking, left: int, at_most_s: float) -> bool:
        """Close connections once they have their answer; whether only `left` are left in time."""
        stream.wanted = left
        try:
            return self.run(lambda: len(stream.connections) <= left, at_most_s)
        finally:
            stream.wanted = math.inf

    def run(self, until: Callable[[], bool], at_most_s: float) -> bool:
        """Go on until `until()` holds; whether it did within the time, and that of the probe."""
        ends = self.engine.now() + min(at_most_s, max(0.0, self.allowance.left_s))
        self.engine.at(ends, lambda _: None)  # so that the loop wakes up then
        self.engine.run(lambda: until() or self.engine.now() >= ends)
        return until()

    def wait_for(self, stream: Asking, answers: int, at_most_s: float) -> None:
        """Wait for so many answers, and for a few where service or machine are slower than that."""

        def came(count: int) -> bool:
            return len(stream.moments) >= count or self.allowance.used_up

        if not self.run(lambda: came(answers), at_most_s):
            self.run(lambda: came(FEW_ANSWERS), self.allowance.left_s / 2)

    def drain(self, stream: Asking, takes_s: float) -> None:
        """Send nothing more; wait for what is in hand, twice as long as it should take.

        The service is behind where more is missing then than may be lost for good. It works, too,
        on what came too late of late: nobody waits for that any more.
        """
        stream.stop()
        self.run(lambda: stream.in_flight == 0, max(LAST_ANSWERS_S, 2 * takes_s))
        since = self.engine.now() - stream.timeout_s
        late = sum(each.error == LATE and each.ended > since for each in stream.moments)
        lost = growth.FAILS * len(stream.connections)
        self.behind = self.behind or stream.in_flight + late > lost

    def close(self) -> None:
        """Close every connection."""
        self.engine.close()
