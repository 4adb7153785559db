"""Scrapes that cost more than anybody has patience for: nothing piles up, and all recovers."""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.metrics import endpoint
from lab.metrics.endpoint import MOST, Endpoint
from tests.waiting import eventually

GET = b"GET /metrics HTTP/1.1\r\nHost: lab\r\n\r\n"


class Document:
    """What is made: its number, at a cost that is set; counts how many are made at once."""

    def __init__(self, costs_s: list[float]) -> None:
        self._costs_s = costs_s
        self.made = self.under_way = self.most_at_once = 0
        self.threads: set[int] = set()
        self.go_on = threading.Event()
        self.go_on.set()

    def make(self) -> bytes:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        self.threads.add(threading.get_ident())
        self.made += 1
        number = self.made
        time.sleep(self._costs_s[number % len(self._costs_s)])  # a cost, not a wait for anything
        assert self.go_on.wait(60)
        self.under_way -= 1
        return str(number).encode()


@contextmanager
def served(document: Document) -> Iterator[int]:
    """The port on which it is served."""
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    serving = Endpoint(listener, document.make, "text/plain")
    try:
        yield port
    finally:
        document.go_on.set()
        serving.close()


def get(port: int, patience_s: float = 60.0) -> int | None:
    """The number of the document, None where patience was out before it came."""
    with suppress(OSError, http.client.HTTPException):
        return int(urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=patience_s).read())
    return None


def asked(port: int) -> socket.socket:
    """A question under way."""
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.sendall(GET)
    return client


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@settings(max_examples=25)
@given(
    costs_s=st.lists(st.floats(0, 0.03), min_size=1, max_size=6),
    scrapes=st.lists(st.tuples(st.floats(0, 0.1), st.floats(0.001, 0.1)), min_size=1, max_size=40),
    late_s=st.sampled_from([0.005, endpoint.LATE_S]),
)
def test_any_crowd_leaves_nothing_behind(
    costs_s: list[float], scrapes: list[tuple[float, float]], late_s: float
) -> None:
    document = Document(costs_s)

    def scrape(after_s: float, patience_s: float) -> int | None:
        time.sleep(after_s)  # a crowd does not come in step
        return get(port, patience_s)

    with pytest.MonkeyPatch.context() as patch, served(document) as port:
        patch.setattr(endpoint, "LATE_S", late_s)
        assert get(port) == 1
        before = descriptors()
        with ThreadPoolExecutor(len(scrapes)) as crowd:
            answers = list(crowd.map(scrape, *zip(*scrapes, strict=True)))
        last = get(port)
        assert last is not None
        assert max([1, *filter(None, answers)]) <= last <= document.made <= len(scrapes) + 2
        assert (document.most_at_once, len(document.threads)) == (1, 1)
        assert eventually(lambda: descriptors() <= before)


def test_those_who_wait_share_one_document() -> None:
    document = Document([0.0])
    document.go_on.clear()
    with served(document) as port, ThreadPoolExecutor(20) as crowd:
        first = crowd.submit(get, port)
        assert eventually(lambda: document.under_way == 1)
        waiting = [asked(port) for _ in range(20)]
        document.go_on.set()
        numbers = [client.makefile("rb").read().split(b"\r\n\r\n")[1] for client in waiting]
        assert first.result() == 1
        assert set(numbers) == {b"2"}
        for client in waiting:
            client.close()


def test_what_nobody_waits_for_is_not_made() -> None:
    document = Document([0.0])
    document.go_on.clear()
    with served(document) as port, ThreadPoolExecutor(1) as patient:
        first = patient.submit(get, port)
        assert eventually(lambda: document.under_way == 1)
        for _ in range(40):
            asked(port).close()
        document.go_on.set()
        assert first.result() == 1
        assert get(port) == 2


def test_a_question_is_answered_with_what_is_made_after_it() -> None:
    document = Document([0.0])
    with served(document) as port:
        assert [get(port) for _ in range(5)] == [1, 2, 3, 4, 5]


def test_a_late_document_is_good_for_those_who_asked_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise who has less patience than a document takes would never see one."""
    monkeypatch.setattr(endpoint, "LATE_S", 0.0)
    document = Document([0.0])
    document.go_on.clear()
    with served(document) as port, ThreadPoolExecutor(1) as patient:
        first = patient.submit(get, port)
        assert eventually(lambda: document.under_way == 1)
        second = asked(port)
        time.sleep(0.2)  # what it costs
        document.go_on.set()
        assert first.result() == 1
        assert second.makefile("rb").read().endswith(b"\r\n\r\n1")
        second.close()
        assert eventually(lambda: get(port) == 2)


def test_connections_that_ask_nothing_are_bounded_and_hinder_nobody() -> None:
    document = Document([0.0])
    with served(document) as port, ExitStack() as stack:
        before = descriptors()
        idle = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            for _ in range(3 * MOST)
        ]
        assert get(port) is not None
        assert eventually(lambda: descriptors() <= before + len(idle) + MOST)
        assert len(document.threads) == 1


def test_a_head_without_end_is_cut_off() -> None:
    with served(Document([0.0])) as port:
        client = socket.create_connection(("127.0.0.1", port), timeout=60)
        with suppress(ConnectionError):
            for _ in range(10):
                client.sendall(b"x" * 10_000)
        with suppress(ConnectionError):
            assert client.recv(1) == b""
        client.close()
        assert get(port) == 1


def test_a_document_that_cannot_be_made_is_500_and_the_next_is_tried(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failures = [ValueError("broken")]

    def make() -> bytes:
        while failures:
            raise failures.pop()
        return b"7"

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    serving = Endpoint(listener, make, "text/plain")
    client = asked(port)
    assert client.makefile("rb").readline() == b"HTTP/1.1 500 Internal Server Error\r\n"
    client.close()
    assert get(port) == 7
    serving.close()
    assert "ValueError: broken" in capsys.readouterr().err
