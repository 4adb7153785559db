"""A request of one's own: what is sent, and which answers are right."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from loadtest.engine.own_request import own_request, own_traffic
from loadtest.engine.tally import Tally
from loadtest.model.target import Target
from tests.driving import drive, driven, long_enough, uniform
from tests.lying_servers import OK, answering, read_request, serving
from tests.waiting import eventually


def answer(status: str, body: str = "", *fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


HTTP_1_0 = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
RIGHT: dict[str, tuple[Target, tuple[bytes, ...]]] = {
    "any success": (Target("http://x/"), (answer("200 OK"), answer("204 No", ""), answer("299 X"))),
    "a body that differs": (Target("http://x/"), tuple(answer("200 OK", str(n)) for n in range(9))),
    "a body as expected": (Target("http://x/", content="ok"), (answer("200 OK", "ok"),)),
    "an error as expected": (Target("http://x/", status=404), (answer("404 Not Found", "no"),)),
    "a redirect as expected": (
        Target("http://x/", status=302),
        (answer("302 Found", "", "Location: /other"),),
    ),
    "HEAD": (Target("http://x/", "HEAD"), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",)),
    "304": (Target("http://x/", status=304), (b"HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n",)),
    "chunks": (
        Target("http://x/", content="hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",),
    ),
    "HTTP/1.0 that keeps": (
        Target("http://x/"),
        (HTTP_1_0.replace(b"OK\r\n", b"OK\r\nConnection: keep-alive\r\n"),),
    ),
}
WRONG: dict[str, tuple[Target, bytes, str]] = {
    "an error": (Target("http://x/"), answer("503 Full"), "status 503"),
    "a redirect": (Target("http://x/"), answer("302 Found", "", "Location: /"), "status 302"),
    "a success that is not expected": (
        Target("http://x/", status=201),
        answer("200 OK"),
        "status 200",
    ),
    "another body": (Target("http://x/", content="ok"), answer("200 OK", "no"), "wrong body"),
    "a longer body": (Target("http://x/", content="ok"), answer("200 OK", "okay"), "wrong body"),
    "no body": (Target("http://x/", content="ok"), answer("200 OK"), "wrong body"),
    "a body too many": (Target("http://x/", content=""), answer("200 OK", "x"), "wrong body"),
    "a body after HEAD": (
        Target("http://x/", method="HEAD"),
        answer("200 OK", "body"),
        "excess bytes",
    ),
    "HTTP/2": (Target("http://x/"), b"HTTP/2 200\r\n\r\n", "other HTTP version"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_is_right_and_its_connection_goes_on(name: str) -> None:
    target, answers = RIGHT[name]
    tally = driven(answering(*answers), len(answers), traffic=own_traffic(target))
    assert not tally.errors
    assert tally.answered > len(answers)
    assert tally.reconnects == 0


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_has_its_name(name: str) -> None:
    target, wrong, error = WRONG[name]
    tally = driven(answering(wrong), 0, traffic=own_traffic(target))
    assert set(tally.errors) == {error}
    assert tally.answered == 0


@pytest.mark.parametrize(
    "once", [HTTP_1_0, b"HTTP/1.1 200 OK\r\n\r\nuntil the end"], ids=["HTTP/1.0", "no length"]
)
def test_a_server_that_closes_each_connection_only_costs_connecting(once: bytes) -> None:
    def script(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(once)

    tally = driven(script, 10, traffic=own_traffic(Target("http://x/")), connections=2)
    assert not tally.errors
    assert tally.answered > 10
    assert tally.reconnects == pytest.approx(tally.answered, abs=4)


def test_a_large_answer_is_read_to_its_end() -> None:
    body = "x" * 5_000_000
    traffic = own_traffic(Target("http://x/", content=body))
    tally = driven(answering(answer("200 OK", body)), 1, traffic=traffic)
    assert not tally.errors
    assert tally.answered > 1
    wrong = driven(answering(answer("200 OK", f"{body[1:]}y")), 0, traffic=traffic)
    assert set(wrong.errors) == {"wrong body"}


def test_what_one_load_has_sent_counts_in_the_next() -> None:
    """So that a longer window may follow one that was too short."""
    traffic = own_traffic(Target("http://x/"))
    for _ in range(2):
        assert driven(answering(OK), 3, traffic=traffic).answered > 3


def sent(target: Target) -> list[str]:
    return own_request(target).data.decode("latin-1").split("\r\n")


def test_what_is_sent_is_what_is_asked_for() -> None:
    line, *fields = sent(Target("http://127.0.0.1:8000/a/b?q=1&r=%20"))
    assert line == "GET /a/b?q=1&r=%20 HTTP/1.1"
    assert "Host: 127.0.0.1:8000" in fields
    assert "Accept: */*" in fields
    assert not any(field.startswith("Content-") for field in fields)
    posted = sent(Target("http://x", "POST", {"accept": "text/html", "X-Key": "1"}, '{"a": "ü"}'))
    assert posted[0] == "POST / HTTP/1.1"
    assert {"accept: text/html", "X-Key: 1", "Content-Type: application/json"} <= set(posted)
    assert "Content-Length: 11" in posted
    assert "Accept: */*" not in posted
    assert "Content-Length: 0" in sent(Target("http://x/", "POST"))
    plain = sent(Target("http://x/", body="a=b"))
    assert not any(each.startswith("Content-Type") for each in plain)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://localhost/", "localhost"),
        ("http://localhost:80/", "localhost"),
        ("https://localhost:443/", "localhost"),
        ("http://localhost:443/", "localhost:443"),
        ("//localhost:80/", "localhost:80"),
        ("http://[::1]:8000/", "[::1]:8000"),
        ("http://[fe80::1%25eth0]/", "[fe80::1]"),
        ("http://bücher.example/", "xn--bcher-kva.example"),
    ],
)
def test_the_host_is_named_as_the_protocol_wants_it(url: str, host: str) -> None:
    assert f"Host: {host}" in sent(Target(url))


class Counting:
    """A server that counts connections, and the requests of each."""

    def __init__(self, *, closes: bool) -> None:
        self.requests: list[int] = []
        self.said: list[bool] = []
        self._closes, self._lock = closes, threading.Lock()

    def __call__(self, connection: socket.socket) -> None:
        count = 0
        while request := read_request(connection):
            count += 1
            last = b"\r\nConnection: close\r\n" in request
            with self._lock:
                self.said.append(last)
            connection.sendall(OK)
            if last and self._closes:
                break
        with self._lock:
            self.requests.append(count)

    def whole(self) -> list[int]:
        """The requests of each connection that is over and had any."""
        with self._lock:
            return [count for count in self.requests if count]


@pytest.mark.parametrize("closes", [True, False], ids=["the server closes", "the load closes"])
@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("load", ["closed", "thinking", "open"])
def test_a_connection_has_as_many_requests_as_asked_for(
    most: int, load: str, *, closes: bool
) -> None:
    options: dict[str, Any] = {"connections": 3, "requests_per_connection": most}
    if load == "thinking":
        options["think_s"] = 0.002

    def attempt(seconds: float) -> tuple[Counting, Tally]:
        server = Counting(closes=closes)
        if load == "open":
            options["arrivals"] = uniform(200)
        with serving(server) as port:
            return server, drive(port, seconds=seconds, **options)

    server, tally = long_enough(attempt, lambda found: found[1].answered > 10)
    assert not tally.errors
    assert tally.answered > 10
    assert (tally.reconnects, tally.resent, tally.paused_s) == (0, 0, 0)
    assert eventually(
        lambda: most in server.whole() and sum(server.said) - server.whole().count(most) <= 3
    )
    whole = server.whole()
    assert max(whole) == most
    assert sum(count < most for count in whole) <= 3  # those that the window cut
    assert 0 <= sum(server.said) - whole.count(most) <= 3


def test_a_server_that_closes_sooner_is_counted_as_one() -> None:
    def script(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(OK)

    with serving(script) as port:
        tally = drive(port, requests_per_connection=3)
    assert not tally.errors
    assert tally.reconnects == pytest.approx(tally.answered, abs=2)
