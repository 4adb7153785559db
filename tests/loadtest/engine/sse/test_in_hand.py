"""Streams that are in hand when the window ends: what came of them, and which were silent."""

from __future__ import annotations

import socket
import threading
import time

from loadtest.engine.tally import Tally
from tests.driving import long_enough
from tests.loadtest.engine.sse.test_streams import CHUNKED, came, chunk, event, heard
from tests.lying_servers import read_request


def test_streams_that_outlast_the_window_are_heard_meanwhile() -> None:
    def attempt(seconds: float) -> tuple[Tally, int]:
        sent: list[int] = []

        def script(connection: socket.socket) -> None:
            if read_request(connection):
                connection.sendall(CHUNKED)
                for number in range(1000):
                    sent.append(number)
                    connection.sendall(chunk(event(number)))
                    time.sleep(0.02)

        return heard(script, 1000, seconds, connections=20), len(sent)

    tally, sent = long_enough(attempt, lambda found: sum(came(found[0])) > 200, 0.5)
    assert (tally.answered, tally.failed, tally.unfinished) == (0, 0, 20)
    first, gaps = came(tally)
    assert first == 20
    assert 200 < first + gaps <= sent
    assert (tally.events.lost, tally.events.unheard) == (0, 0)


def test_a_silence_that_outlasts_the_window_is_seen() -> None:
    over = threading.Event()

    def script(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(CHUNKED)
            for number in range(5):
                connection.sendall(chunk(event(number)))
                time.sleep(0.02)
            over.wait(30)

    def attempt(seconds: float) -> Tally:
        return heard(script, 1000, seconds, connections=20)

    def all_silent(tally: Tally) -> bool:
        return (came(tally), tally.events.silent) == ((20, 80), 20)

    tally = long_enough(attempt, all_silent, 0.5)
    over.set()
    assert came(tally) == (20, 80)
    assert (tally.events.unheard, tally.events.silent) == (0, 20)


def test_streams_that_wait_for_a_place_are_told_of_at_the_end() -> None:
    """Two are served at a time, as by two threads."""

    def attempt(seconds: float) -> Tally:
        places, over = threading.Semaphore(2), threading.Event()

        def script(connection: socket.socket) -> None:
            with places:
                if read_request(connection) and not over.is_set():
                    connection.sendall(CHUNKED + chunk(event(0)))
                    over.wait(30)

        tally = heard(script, 3, seconds, connections=6)
        over.set()
        return tally

    tally = long_enough(attempt, lambda tally: came(tally)[0] == 2)
    assert came(tally) == (2, 0)
    assert tally.events.unheard == 4
