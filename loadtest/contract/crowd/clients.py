"""Clients that ask side by side, each on connections of its own."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

WAVES = 5
APART_S, NEXT_LOOK_S = 0.002, 0.02
SHORTEST_TIMEOUT_S = 0.01


def load(
    url: str, *, clients: int, enough: Callable[[], bool], requests: int, until: float
) -> None:
    """Let clients ask for `url` side by side, `requests` times a connection, until `enough`.

    They come in waves of `clients`, a moment apart. On a busy core the running worker takes most
    connections. A sleeping worker gets its share only from a longer queue. A wave follows after as
    many answers as the one before has clients, so the queue is at most two waves long.

    `enough` has to hold at some time. Raises OSError (TimeoutError: silence until the monotonic
    time `until`), HTTPException, and ValueError for an answer that is not 200.
    """
    answers: list[float] = []
    with ThreadPoolExecutor(WAVES * clients) as pool:
        asked = []
        for _ in range(WAVES):
            expected = len(answers) + clients
            for _ in range(clients):
                asked.append(pool.submit(_ask, url, enough, requests, until, answers))
                time.sleep(APART_S)
            while not enough() and len(answers) < expected:
                time.sleep(NEXT_LOOK_S)
            if enough():
                break
        for done in asked:
            done.result()


def answer(
    connection: http.client.HTTPConnection, target: str, until: float
) -> http.client.HTTPResponse:
    """The answer, read; raises TimeoutError for a silence until the monotonic time `until`."""
    if connection.sock is None:
        connection.timeout = _left_s(until)
        connection.connect()
    connection.sock.settimeout(_left_s(until))
    connection.request("GET", target)
    response = connection.getresponse()
    response.read()
    return response


def _left_s(until: float) -> float:
    return max(SHORTEST_TIMEOUT_S, until - time.monotonic())


def _ask(
    url: str, enough: Callable[[], bool], requests: int, until: float, answers: list[float]
) -> None:
    address = urlsplit(url)
    while True:
        connection = http.client.HTTPConnection(address.netloc)
        with contextlib.closing(connection):
            for _ in range(requests):
                response = answer(connection, f"{address.path}?{address.query}", until)
                if response.status != 200:
                    raise ValueError(f"{address.path} answered {response.status}")
                answers.append(time.monotonic())
        if enough():
            return
