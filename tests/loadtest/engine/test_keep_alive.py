"""Connections that the server closes: what is asked again, what has failed, and who waits."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from loadtest.engine.connection import FIRST_DELAY_S
from loadtest.engine.engine import Engine
from loadtest.engine.http_request import http_request, json_is
from loadtest.engine.tally import Tally
from tests.driving import drive, driven, long_enough, measured_right, uniform
from tests.lying_servers import OK, Script, read_request, serving

CLOSING = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
LIMITS = some.lists(some.tuples(some.integers(1, 60), some.booleans()), min_size=1, max_size=5)
LATE_S = 0.025  # by which a pause may last longer on a machine that others use


class Closing:
    """A server that closes each connection after so many answers; counts what it sees.

    `limits` go in turn: how many answers, and whether the last one says that it is the last.
    `reading`: it takes in one more request before it closes, as if it had died of it.
    """

    def __init__(self, limits: list[tuple[int, bool]], *, reading: bool = False) -> None:
        self._limits = itertools.cycle(limits)
        self._reading = reading
        self._lock = threading.Lock()
        self.opened = self.read = 0

    def __call__(self, connection: socket.socket) -> None:
        with self._lock:
            self.opened += 1
            answers, said = next(self._limits)
        for left in range(answers, 0, -1):
            if not self._take(connection):
                return
            connection.sendall(CLOSING if said and left == 1 else OK)
        if self._reading:
            self._take(connection)

    def _take(self, connection: socket.socket) -> bool:
        if not read_request(connection):
            return False
        with self._lock:
            self.read += 1
        return True


@settings(max_examples=25)
@given(limits=LIMITS, connections=some.integers(1, 6), think_s=some.sampled_from([0, 0, 0.002]))
def test_a_server_that_closes_kept_connections_costs_nothing_but_connecting(
    limits: list[tuple[int, bool]], connections: int, think_s: float
) -> None:
    def attempt(seconds: float) -> tuple[Closing, Tally]:
        server = Closing(limits)
        with serving(server) as port:
            return server, drive(port, connections=connections, seconds=seconds, think_s=think_s)

    server, tally = long_enough(attempt, lambda found: found[1].answered > connections)
    assert tally.failed == 0
    assert tally.answered > connections
    assert tally.paused_s == 0
    assert tally.reconnects == pytest.approx(server.opened - connections, abs=connections)


@settings(max_examples=10)
@given(limits=LIMITS)
def test_an_open_load_keeps_its_schedule_over_closed_connections(
    limits: list[tuple[int, bool]],
) -> None:
    def measure() -> None:
        with serving(Closing(limits)) as port:
            tally = drive(port, connections=20, seconds=0.2, arrivals=uniform(300))
        assert tally.failed == tally.unsendable == 0
        assert tally.answered > 20

    measured_right(measure)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "POST", "PATCH"])
def test_only_what_is_idempotent_is_sent_twice(method: str) -> None:
    """RFC 9110, 9.2.2: a request that may have been processed is sent again if that is harmless."""
    request = http_request(method, "x", "/", json_is({"message": "Hello, World!"}))

    def attempt(seconds: float) -> tuple[Closing, Tally]:
        server = Closing([(3, False)], reading=True)
        with serving(server) as port:
            return server, drive(
                port,
                connections=2,
                seconds=seconds,
                traffic=lambda: itertools.repeat(request),
            )

    server, tally = long_enough(attempt, lambda found: found[1].answered > 6)
    assert tally.answered > 6
    assert tally.paused_s <= tally.failed * FIRST_DELAY_S / 2  # a turn of the loop, no pause
    if method in ("POST", "PATCH"):
        assert set(tally.errors) == {"connection closed"}
        assert tally.failed == pytest.approx(tally.answered / 3, abs=2)
        assert server.read <= tally.sent
    else:
        assert tally.failed == 0
        assert tally.reconnects == pytest.approx(tally.answered / 3, abs=2)


def test_a_request_that_never_left_is_sent_again_whatever_it_is() -> None:
    tally = long_enough(reset_while_stalled, lambda tally: tally.answered > 1, 0.8)
    assert tally.failed == 0
    assert tally.answered > 1
    assert tally.reconnects == 1


def reset_while_stalled(seconds: float) -> Tally:
    """The connection is reset while the machine stalls, so that sending is what fails."""
    answered, stalled, was_reset = (threading.Event() for _ in range(3))

    def script(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(OK)
            answered.set()
            if not was_reset.is_set():
                stalled.wait(30)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.close()
                was_reset.set()
                return

    def begin(now: float) -> None:
        """Not while the first request is under way, nor before its answer is read."""
        engine.at(now + 0.05, stall if answered.is_set() else begin)

    def stall(_: float) -> None:
        stalled.set()
        was_reset.wait(30)
        time.sleep(0.2)  # until the next request is due

    engine = Engine()
    engine.at(engine.now(), begin)
    order = http_request("POST", "x", "/", json_is({"message": "Hello, World!"}))
    with serving(script) as port:
        return drive(
            port,
            seconds=seconds,
            think_s=0.2,
            traffic=lambda: itertools.repeat(order),
            engine=engine,
        )


def in_turn(scripts: list[Script]) -> Script:
    """Another script for each connection, the last one for all that follow."""
    left: Iterator[Script] = itertools.chain(scripts, itertools.repeat(scripts[-1]))
    lock = threading.Lock()

    def script(connection: socket.socket) -> None:
        with lock:
            chosen = next(left)
        chosen(connection)

    return script


def ends(how: bytes) -> Script:
    def script(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(how)

    return script


BAD: dict[str, Callable[[], Script]] = {
    "connection closed": lambda: ends(b""),
    "cut answer": lambda: ends(OK[:50]),
    "not HTTP": lambda: ends(b"SSH-2.0-x\r\n"),
}


@settings(max_examples=8)
@given(
    streaks=some.lists(
        some.tuples(some.lists(some.sampled_from(list(BAD)), max_size=4), some.integers(1, 40)),
        min_size=1,
        max_size=3,
    )
)
def test_the_pause_doubles_with_failures_and_a_success_takes_it_back(
    streaks: list[tuple[list[str], int]],
) -> None:
    """How long the connection sits out is known: 10, 20, 40 … ms in each streak of failures."""
    truth_s = sum(FIRST_DELAY_S * (2 ** len(bad) - 1) for bad, _ in streaks)
    failures, answers = sum(len(bad) for bad, _ in streaks), sum(count for _, count in streaks)
    latest_s = truth_s + failures * LATE_S

    def attempt(seconds: float) -> Tally:
        scripts: list[Script] = []
        for bad, count in streaks:
            scripts += [BAD[name]() for name in bad] + [Closing([(count, False)])]
        scripts.append(Closing([(10**9, False)]))
        with serving(in_turn(scripts)) as port:
            return drive(port, connections=1, seconds=latest_s + seconds)

    tally = long_enough(attempt, lambda tally: tally.answered > answers)
    assert tally.failed == failures
    assert truth_s <= tally.paused_s <= latest_s
    assert tally.answered > answers


def test_a_wrong_answer_that_closes_is_an_answer_and_no_reason_to_wait() -> None:
    refusal = b"HTTP/1.1 503 Full\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    tally = driven(ends(refusal), 20, connections=2)
    assert set(tally.errors) == {"status 503"}
    assert tally.failed > 20
    assert tally.paused_s == 0
