"""What becomes of the requests that are in hand when a window ends."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.contract import scenarios
from loadtest.engine import after
from loadtest.engine.stream import Stream
from loadtest.engine.tally import Tally
from loadtest.system.sockets import resolve
from tests.driving import drive, long_enough, stalling, uniform, unstalled
from tests.lying_servers import OK, Script, never, read_request, serving

seconds = st.floats(0, 60)
CONNECTIONS, ANSWERS = 8, 5
WRONG = OK.replace(b"World", b"wORLD")


@given(seconds, seconds, seconds)
def test_the_wait_is_bounded(waited_s: float, quiet_s: float, slowest_s: float) -> None:
    assert after.step(after.LONGEST_S + waited_s, quiet_s, slowest_s) != "wait"


@pytest.mark.parametrize(
    ("waited_s", "quiet_s", "slowest_s", "then"),
    [
        (0.9, 0.9, 0.01, "wait"),
        (1.0, 0.03, 4.0, "let go"),  # a queue that moves
        (1.0, 1.0, 0.05, "give up"),
        (1.0, 1.0, 0.6, "wait"),  # quiet, but not yet for twice as long as the slowest
        (1.2, 1.2, 0.6, "give up"),
        (1.0, 1.0, 3.0, "let go"),  # all wait for something that takes three seconds
        (1.0, 1.0, 0.0, "let go"),  # nothing was answered: there is nothing to compare with
    ],
)
def test_a_queue_is_let_go_and_a_hang_is_given_up(
    waited_s: float, quiet_s: float, slowest_s: float, then: str
) -> None:
    assert after.step(waited_s, quiet_s, slowest_s) == then


def test_what_is_far_older_than_the_slowest_answer_will_get_none() -> None:
    begun = [0.0, 9.0, 9.9]
    assert after.overdue(begun, 10.0, quiet_s=0.1, slowest_s=1.0) == 1
    assert after.overdue(begun, 10.0, quiet_s=2.0, slowest_s=1.0) == 3
    assert after.overdue(begun, 10.0, quiet_s=9.0, slowest_s=0.0) == 0


def test_requests_in_hand_at_the_end_are_unfinished() -> None:
    with serving(never) as port:
        tally = drive(port, connections=7, seconds=0.2)
    assert (tally.sent, tally.unfinished, tally.failed) == (7, 7, 0)
    assert tally.in_flight_s == pytest.approx(tally.unfinished_s)
    assert 0 < tally.in_flight_s <= 7 * tally.duration_s


def test_arrivals_without_a_free_connection_are_unsendable() -> None:
    with serving(never) as port:
        tally = drive(port, connections=2, seconds=0.2, arrivals=uniform(100))
    assert tally.sent == tally.unfinished == 2
    assert tally.unsendable == pytest.approx(18, abs=3)


def test_what_was_due_while_the_machine_stalled_at_the_end_is_counted() -> None:
    with serving(never) as port:
        engine = stalling(after_s=0.25, lasts_s=1.0)
        tally = drive(port, connections=2, seconds=0.3, arrivals=uniform(100), engine=engine)
    assert tally.duration_s > 1.2
    assert tally.sent + tally.unsendable == pytest.approx(100 * tally.duration_s, abs=3)


def measured(
    script: Script, seconds: float, timeout_s: float = 30.0, over: threading.Event | None = None
) -> tuple[Tally, float]:
    """A window, whose end sets `over`, and how long the engine read on after it."""
    engine, scenario = unstalled(), scenarios.choose("json")
    with serving(script) as port:
        stream = Stream(
            engine,
            service="scripted",
            scenario="json",
            address=resolve("127.0.0.1", port),
            traffic=scenario.traffic("127.0.0.1", {}, 1),
            timeout_s=timeout_s,
        )
        engine.add_stream(stream)
        for _ in range(CONNECTIONS):
            engine.add_connection(stream)
        engine.measure(0.0, seconds)
        engine.run(lambda: engine.measured)
        ended = engine.now()
        if over is not None:
            over.set()
        engine.run(lambda: not engine.waits_for_more)
        engine.settle()
        waited_s = engine.now() - ended
        tally = engine.tallies[stream]
        engine.close()
    assert tally.sent == tally.answered + tally.failed + tally.unfinished
    assert tally.answered_after + sum(tally.failed_after.values()) <= tally.unfinished
    return tally, waited_s


def answers_some(connection: socket.socket) -> None:
    """Answer a few requests, and never the next."""
    for _ in range(ANSWERS):
        read_request(connection)
        time.sleep(0.03)
        connection.sendall(OK)
    connection.recv(1)  # the next request
    connection.recv(65536)
    connection.recv(65536)  # until the client goes


def all_wait(found: tuple[Tally, float]) -> bool:
    """Whether every connection waits for the answer that never comes."""
    tally, _ = found
    return (tally.answered, tally.failed) == (ANSWERS * CONNECTIONS, 0)


def test_requests_that_nobody_answers_have_a_name() -> None:
    def attempt(seconds: float) -> tuple[Tally, float]:
        return measured(answers_some, seconds)

    def far_older(found: tuple[Tally, float]) -> bool:
        return all_wait(found) and found[0].oldest_s > after.FAR * found[0].slowest_s

    tally, waited_s = long_enough(attempt, far_older, 0.4)
    assert tally.failed_after == {after.NO_ANSWER: CONNECTIONS}
    assert tally.oldest_s > after.FAR * tally.slowest_s
    assert waited_s < after.LONGEST_S + 1


def test_what_times_out_while_it_is_awaited_is_a_timeout() -> None:
    def attempt(seconds: float) -> tuple[Tally, float]:
        return measured(answers_some, seconds, timeout_s=seconds)  # so that none ends in the window

    tally, _ = long_enough(attempt, all_wait, 0.4)
    assert set(tally.failed_after) == {"timeout"}
    assert sum(tally.failed_after.values()) == tally.unfinished > 0


def answers_after(over: threading.Event, answer: bytes) -> Script:
    """Answers that come once the window is over, but for the first."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK)
        read_request(connection)
        over.wait(30)
        connection.sendall(answer)

    return script


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(OK, (CONNECTIONS, {})), (WRONG, (0, {"wrong body": CONNECTIONS}))],
    ids=["right", "wrong"],
)
def test_answers_on_their_way_are_read(answer: bytes, expected: tuple[int, object]) -> None:
    def attempt(seconds: float) -> tuple[Tally, float]:
        over = threading.Event()
        return measured(answers_after(over, answer), seconds, over=over)

    tally, waited_s = long_enough(attempt, lambda found: found[0].answered == CONNECTIONS)
    assert (tally.answered_after, tally.failed_after) == expected
    assert waited_s < after.LET_GO_S
