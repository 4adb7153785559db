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
from tests.driving import unstalled
from tests.lying_servers import OK, Script, read_request, serving

seconds = st.floats(0, 60)
CONNECTIONS = 8
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


def measured(
    script: Script, timeout_s: float = 30.0, over: threading.Event | None = None
) -> tuple[Tally, float]:
    """A short window, whose end sets `over`, and how long the engine read on after it."""
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
        engine.measure(0.0, 0.4)
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
    for _ in range(5):
        read_request(connection)
        time.sleep(0.03)
        connection.sendall(OK)
    connection.recv(1)  # the next request
    connection.recv(65536)
    connection.recv(65536)  # until the client goes


def test_requests_that_nobody_answers_have_a_name() -> None:
    tally, waited_s = measured(answers_some)
    assert tally.failed_after == {after.NO_ANSWER: CONNECTIONS}
    assert tally.oldest_s > after.FAR * tally.slowest_s
    assert waited_s < after.LONGEST_S + 1


def test_what_times_out_while_it_is_awaited_is_a_timeout() -> None:
    tally, _ = measured(answers_some, timeout_s=0.6)
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
    over = threading.Event()
    tally, waited_s = measured(answers_after(over, answer), over=over)
    assert (tally.answered_after, tally.failed_after) == expected
    assert waited_s < after.LET_GO_S
