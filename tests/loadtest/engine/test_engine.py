from __future__ import annotations

import itertools
import math
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from loadtest.contract import scenarios
from loadtest.engine.engine import Engine
from loadtest.engine.http_request import http_request, json_is
from loadtest.engine.kinds import poisson
from loadtest.engine.reactor import Standstill
from loadtest.engine.stream import Stream
from loadtest.engine.tally import Tally
from loadtest.system.ports import held
from loadtest.system.sockets import resolve
from tests.driving import drive, driven, long_enough, stalling, uniform, unstalled
from tests.lying_servers import OK, Script, answering, never, once, read_request, serving
from tests.waiting import eventually


def replaced(old: bytes, new: bytes) -> bytes:
    return OK.replace(old, new)


def drip(connection: socket.socket) -> None:
    """A byte of a head now and then, for ever."""
    read_request(connection)
    for byte in itertools.chain(OK[:30], itertools.repeat(OK[0])):
        connection.sendall(bytes([byte]))
        time.sleep(0.005)


def reset(connection: socket.socket) -> None:
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


LIES: dict[str, tuple[Script, str]] = {
    "wrong body": (answering(replaced(b"World", b"wORLD")), "wrong body"),
    "not even JSON": (answering(replaced(b"{", b"[")), "wrong body"),
    "wrong status": (answering(replaced(b"200 OK", b"503 No")), "status 503"),
    "right body, wrong status": (answering(replaced(b"200 OK", b"201 Ok")), "status 201"),
    "an answer and a half": (answering(OK + OK[:20]), "excess bytes"),
    "half a body": (once(OK[:-9]), "cut answer"),
    "half a head": (once(OK[:30]), "cut answer"),
    "garbage": (once(b"\x16\x03\x01 what?"), "not HTTP"),
    "an endless head": (answering(replaced(b"json", b"j" * 80_000)), "head too large"),
    "closed at the request": (once(b""), "connection closed"),
    "closed at once": (lambda _: None, "connection (closed|reset)"),
    "reset": (reset, "connection reset"),
    "slow drip": (drip, "timeout"),
    "never an answer": (never, "timeout"),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("open_loop", [False, True], ids=["closed", "open"])
def test_every_lie_is_counted_under_its_name(lie: str, open_loop: bool) -> None:
    script, name = LIES[lie]
    options: dict[str, Any] = {"connections": 3, "timeout_s": 0.05 if name == "timeout" else 30}

    def attempt(seconds: float) -> Tally:
        arrivals = uniform(100) if open_loop else None
        with serving(script) as port:
            return drive(port, seconds=seconds, arrivals=arrivals, **options)

    tally = long_enough(attempt, lambda tally: tally.failed > 0)
    assert tally.answered == 0
    assert tally.failed > 0
    assert all(re.fullmatch(name, error) for error in tally.errors), tally.errors


@pytest.mark.parametrize("lie", ["closed at once", "reset", "garbage", "half a body"])
def test_a_server_that_fails_at_once_is_not_hammered(lie: str) -> None:
    with serving(LIES[lie][0]) as port:
        tally = drive(port, connections=1, seconds=0.2)
    assert tally.failed <= 5  # pauses of 10, 20, 40 … ms


def test_a_lie_among_right_answers_is_told_apart() -> None:
    lie = replaced(b"World", b"wORLD")
    tally = driven(answering(*[OK] * 9, lie, *[OK] * 10, lie, OK), 22)
    assert tally.errors == {"wrong body": 2}
    assert tally.answered > 20


def test_refused_connections_cost_no_cpu() -> None:
    with held(1) as [nobody]:
        tally = drive(nobody, connections=20, seconds=0.3)
    assert set(tally.errors) == {"connection refused"}
    assert tally.failed <= 20 * 6
    assert tally.cpu_s < 0.2


def test_a_host_that_does_not_resolve_is_named() -> None:
    assert resolve("no-such-host.invalid", 80) is None
    tally = drive(80, address=None, connections=2)
    assert set(tally.errors) == {"host not found"}


@pytest.mark.parametrize(
    "script",
    [
        answering(OK),
        answering(replaced(b"Content-Length: 27", b"content-LENGTH:27 ")),
        answering(OK.replace(b"\r\n", b"\n").replace(b"json", b"json\n folded")),
        answering(b"HTTP/1.1 103 Hints\r\n\r\n" + OK),
        answering(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'5\r\n{"mes\r\n16\r\nsage":"Hello, World!"}\r\n0\r\n\r\n'
        ),
    ],
    ids=["plain", "odd header", "bare LF", "early hints", "chunked"],
)
def test_right_answers_in_every_form(script: Script) -> None:
    tally = driven(script, 10, connections=2)
    assert tally.failed == 0
    assert tally.answered > 10
    assert tally.reconnects == 0


def test_every_byte_is_counted() -> None:
    with serving(answering(OK)) as port:
        tally = drive(port, connections=3, warmup_s=0.1)
    assert tally.received == tally.answered * len(OK)


def test_answers_in_pieces() -> None:
    def script(connection: socket.socket) -> None:
        while read_request(connection):
            for start in range(0, len(OK), 40):
                connection.sendall(OK[start : start + 40])
                time.sleep(0.001)

    tally = driven(script, 5)
    assert tally.failed == 0
    assert tally.answered > 5
    assert tally.received >= tally.answered * len(OK)


@pytest.mark.parametrize(
    "answer",
    [
        replaced(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        replaced(b"HTTP/1.1", b"HTTP/1.0"),
        replaced(b"Content-Length: 27", b"X-No-Length: 1"),
    ],
    ids=["connection: close", "HTTP/1.0", "no length"],
)
def test_a_closed_connection_is_opened_again(answer: bytes) -> None:
    tally = driven(once(answer), 3)
    assert tally.failed == 0
    assert tally.answered > 3
    assert abs(tally.reconnects - tally.answered) <= 1


def test_a_kept_alive_connection_that_ran_out_is_no_failure() -> None:
    """The service closes an idle connection: nothing was in hand, nothing is lost."""
    tally = driven(once(OK), 3, think_s=0.05)
    assert tally.failed == 0
    assert tally.answered > 3


def test_a_request_that_does_not_fit_the_socket_at_once() -> None:
    def script(connection: socket.socket) -> None:
        left = len(large.data)
        while got := connection.recv(65536):
            left -= len(got)
            if left == 0:
                left = len(large.data)
                connection.sendall(OK)

    large = http_request("POST", "x", "/", json_is({"message": "Hello, World!"}), body="x" * 10**7)
    tally = driven(script, 0, traffic=lambda: itertools.repeat(large))
    assert tally.answered > 0
    assert tally.failed == 0


def test_the_warm_up_is_left_out_and_counted() -> None:
    def attempt(seconds: float) -> tuple[Tally, Iterator[int]]:
        seen = itertools.count()

        def script(connection: socket.socket) -> None:
            while read_request(connection):
                next(seen)
                connection.sendall(OK)

        with serving(script) as port:
            tally = drive(port, connections=4, warmup_s=seconds, seconds=seconds)
            assert eventually(lambda: _count(seen) >= tally.sent_before + tally.sent)
        return tally, seen

    tally, seen = long_enough(attempt, lambda found: found[0].sent_before > 0)
    assert tally.sent_before > 0
    assert _count(seen) == tally.sent_before + tally.sent


def _count(counter: Iterator[int]) -> int:
    return int(re.search(r"\d+", repr(counter))[0])  # type: ignore[index]


def test_a_window_that_begins_late_has_its_own_answers_in_its_slices() -> None:
    def attempt(seconds: float) -> Tally:
        engine = stalling(after_s=0.25, lasts_s=1.0)
        with serving(answering(OK)) as port:
            return drive(port, connections=2, warmup_s=0.3, seconds=seconds, engine=engine)

    tally = long_enough(attempt, lambda tally: tally.answered > 0)
    window = [each.answered for number, each in tally.slices.items() if number >= 0]
    assert sum(window) == tally.answered > 0


def test_arrivals_are_poisson_and_the_seed_decides() -> None:
    def gaps(seed: int) -> list[float]:
        times = [0.0, *itertools.islice(poisson(1000.0, seed), 20_000)]
        return [later - earlier for earlier, later in itertools.pairwise(times)]

    found = gaps(7)
    assert found == gaps(7) != gaps(8)
    assert sum(found) / len(found) == pytest.approx(0.001, rel=0.03)
    mean_square = sum(gap * gap for gap in found) / len(found)
    assert mean_square == pytest.approx(2e-6, rel=0.1)  # an exponential's second moment


def test_think_time_spaces_the_requests() -> None:
    think_s = 0.05

    def attempt(seconds: float) -> Tally:
        with serving(answering(OK)) as port:
            return drive(port, connections=5, seconds=seconds, think_s=think_s)

    def share(tally: Tally) -> float:
        """Of the answers that there would be if none took any time."""
        return tally.answered / (5 * math.ceil(tally.duration_s / think_s))

    tally = long_enough(attempt, lambda tally: share(tally) >= 0.5, 0.5)
    assert 0.5 <= share(tally) <= 1


def test_a_stream_that_comes_late_is_measured_from_then_on() -> None:
    def attempt(seconds: float) -> Tally:
        engine, json = unstalled(), scenarios.choose("json")
        with serving(answering(OK)) as port:
            late = Stream(
                engine,
                service="late",
                scenario="json",
                address=resolve("127.0.0.1", port),
                traffic=json.traffic("127.0.0.1", {}, 1),
            )

            def come(_: float) -> None:
                engine.add_stream(late)
                engine.add_connection(late)

            engine.at(engine.now() + seconds / 2, come)
            engine.measure(0.0, seconds)
            engine.run(lambda: engine.measured)
        engine.close()
        return engine.tallies[late]

    tally = long_enough(attempt, lambda tally: tally.answered > 0)
    assert tally.answered > 0
    assert tally.sent == tally.answered + tally.unfinished


def test_the_ends_of_a_window_are_told_in_its_own_loop() -> None:
    engine, told = Engine(), list[tuple[str, float, bool]]()
    engine.measure(0.05, 0.1, lambda phase: told.append((phase, time.time(), engine.measured)))
    engine.run(lambda: engine.measured)
    assert [(phase, over) for phase, _, over in told] == [("measured", False), ("done", True)]
    assert engine.window_started_at <= told[0][1] < told[1][1]
    engine.close()


def test_a_loop_stands_still_while_it_runs_and_not_between_two_runs() -> None:
    engine = Engine()
    ends = engine.now() + 0.3
    engine.at(engine.now() + 0.1, lambda _: time.sleep(0.15))
    engine.run(lambda: engine.now() >= ends)
    assert 0.15 <= engine.standstill.longest_s <= engine.standstill.in_all_s
    engine.standstill = Standstill()
    time.sleep(0.15)  # the loop is left alone
    engine.run(lambda: True)
    assert engine.standstill == Standstill()
    engine.close()
