"""The checks of the contract catch a service that breaks it, and never break themselves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loadtest.contract import body_cases, cases, conformance, stream_check
from loadtest.system import ports


class Liar(BaseHTTPRequestHandler):
    """Answers everything alike, whatever it was asked."""

    protocol_version = "HTTP/1.1"
    body = b"{}"
    content_type = "application/json"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", self.content_type)
        self.send_header("Content-Length", str(len(self.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_: object) -> None: ...


class Mute(Liar):
    """Closes every connection without a word."""

    def answer(self) -> None:
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer


class Garbled(Liar):
    body = b"<html>"


class Hasty(Liar):
    """Has all events ready at once."""

    content_type = "text/event-stream"

    def answer(self) -> None:
        count = 2 if "n=2" in self.path else 10
        self.body = b"".join(b'data: {"event":%d}\n\n' % number for number in range(count))
        super().answer()

    do_GET = answer


class Miscounting(Hasty):
    """Loses an event."""

    def answer(self) -> None:
        self.path = "/stream?n=2"
        super().answer()

    do_GET = answer


@contextmanager
def served(handler: type[Liar]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("handler", [Liar, Mute, Garbled])
def test_liar_is_caught_in_one_line_a_lie(handler: type[Liar]) -> None:
    with served(handler) as url:
        failures = conformance.check(url)
    assert len(failures) > 300
    assert all("\n" not in line for line in failures)
    assert any(line.startswith("GET /json: ") for line in failures)


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (Liar, "want 200 and text/event-stream"),
        (Miscounting, "want 10 events, counted from 0"),
        (Hasty, "two events come together"),
    ],
)
def test_streams_that_are_none_are_caught(handler: type[Liar], told: str) -> None:
    with served(handler) as url:
        [line] = stream_check.check_stream(url)
    assert told in line


def test_nobody_at_the_address_is_a_failure() -> None:
    (port,) = ports.free(1)
    failures = conformance.check(f"http://127.0.0.1:{port}")
    assert "no answer" in failures[0]


def test_cases_have_titles_of_their_own() -> None:
    titles = [conformance.title(case) for case in (*cases.cases(), *body_cases.cases())]
    assert len(titles) > 400
    assert max(map(len, titles)) < 200
