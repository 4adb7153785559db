"""Streams against servers whose events are scripted: each is counted, and when it came."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from loadtest.contract.traffic import streams
from loadtest.engine.engine import Engine
from loadtest.engine.request import Traffic
from loadtest.engine.tally import Tally
from loadtest.engine.tls import client_context
from tests.driving import drive, driven, long_enough, measured_right
from tests.lying_servers import Script, over_tls, read_request, serving

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
Part = bytes | float  # what is sent, or seconds of silence


def event(number: int) -> bytes:
    return b'data: {"event": %d}\n\n' % number


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def scripted(*parts: Part, closes: bool = False) -> Script:
    """Answer each request with these parts."""

    def script(connection: socket.socket) -> None:
        while read_request(connection):
            for part in parts:
                if isinstance(part, float):
                    time.sleep(part)
                else:
                    connection.sendall(part)
            if closes:
                return

    return script


def in_chunks(*events: Part) -> tuple[Part, ...]:
    """A whole stream, each event a chunk."""
    parts = [chunk(part) if isinstance(part, bytes) else part for part in events]
    return (CHUNKED, *parts, END)


def heard(script: Script, events: int, seconds: float, **options: Any) -> Tally:
    with serving(script) as port:
        return drive(port, traffic=asking(events), seconds=seconds, **options)


def asking(events: int) -> Traffic:
    """For a stream of so many events, again and again."""
    request = streams.request("127.0.0.1", events, 0)
    return lambda: itertools.repeat(request)


def came(tally: Tally) -> tuple[int, int]:
    """First events and gaps."""
    return tally.events.first.total, tally.events.gaps.total


THREE = (event(0), event(1), event(2))
BYTES = CHUNKED + b"".join(map(chunk, THREE)) + END
WHOLE: dict[str, Script] = {
    "chunks": scripted(*in_chunks(*THREE)),
    "one write": scripted(BYTES),
    "a byte at a time": scripted(*(BYTES[n : n + 1] for n in range(len(BYTES)))),
    "until the close": scripted(HEAD + b"\r\n", *THREE, closes=True),
    "HTTP/1.0": scripted(HEAD.replace(b"1.1", b"1.0") + b"\r\n", *THREE, closes=True),
    "a length": scripted(HEAD + b"Content-Length: 60\r\n\r\n", b"".join(THREE)),
    "CRLF": scripted(*in_chunks(*(each.replace(b"\n", b"\r\n") for each in THREE))),
    "CR": scripted(*in_chunks(*(each.replace(b"\n", b"\r") for each in THREE))),
    "comments and heartbeats": scripted(
        *in_chunks(b": hello\n\n", THREE[0], b":\n\n", b": still here\n", *THREE[1:], b"\n")
    ),
    "other fields": scripted(*in_chunks(*(b"id: 1\nevent: tick\nretry: 9\n" + e for e in THREE))),
    "data over two lines": scripted(
        *in_chunks(*(b'data: {"event":\ndata: %d}\n\n' % number for number in range(3)))
    ),
    "over TLS": over_tls(scripted(*in_chunks(*THREE))),
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_event_of_a_whole_stream_counts_once(name: str) -> None:
    secured: dict[str, Any] = {"tls": client_context(insecure=True), "server_name": "x"}
    tally = driven(WHOLE[name], 3, traffic=asking(3), **(secured if name == "over TLS" else {}))
    assert not tally.errors
    assert tally.answered > 3
    first, gaps = came(tally)
    assert first == pytest.approx(tally.answered, abs=1)
    assert gaps == pytest.approx(2 * first, abs=2)
    assert tally.events.lost == 0


def test_an_event_that_is_larger_than_a_read_is_one_event() -> None:
    large = event(1).replace(b" ", b" " * 100_000)
    tally = driven(scripted(*in_chunks(event(0), large, event(2))), 1, traffic=asking(3))
    assert not tally.errors
    assert tally.answered > 1
    assert came(tally)[1] == pytest.approx(2 * tally.answered, abs=2)


WRONG: dict[str, tuple[Script, int]] = {  # and how many of three events are lost
    "status 503": (scripted(b"HTTP/1.1 503 Full\r\nContent-Length: 2\r\n\r\nno"), 0),
    "no event stream": (
        scripted(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"),
        0,
    ),
    "cut stream": (scripted(CHUNKED, chunk(event(0)), chunk(event(1)), closes=True), 1),
    "cut event": (scripted(CHUNKED, chunk(event(0)), chunk(event(1)[:9]), closes=True), 2),
    "lost event": (scripted(*in_chunks(event(0), event(2))), 1),
    "repeated event": (scripted(*in_chunks(event(0), event(0), event(1), event(2))), 2),
    "excess event": (scripted(*in_chunks(*THREE, event(3))), 0),
    "wrong event": (scripted(*in_chunks(event(0), b"data: soon\n\n", event(2))), 2),
    "event too large": (scripted(CHUNKED, chunk(event(0)), chunk(b"data: " + b"x" * 2_000_000)), 2),
    "malformed chunk": (scripted(CHUNKED, chunk(event(0)), b"zz\r\n"), 2),
    "cut answer": (scripted(HEAD, closes=True), 0),
    "connection closed": (scripted(closes=True), 0),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_stream_that_goes_wrong_has_a_name_and_its_lost_events_are_counted(name: str) -> None:
    script, lost = WRONG[name]
    tally = driven(script, 0, traffic=asking(3))
    assert set(tally.errors) == {name}
    assert tally.events.lost == lost * tally.failed


def test_a_stream_that_ends_too_early_though_whole_is_cut() -> None:
    tally = driven(scripted(*in_chunks(event(0))), 0, traffic=asking(3))
    assert set(tally.errors) == {"cut stream"}
    assert tally.events.lost == 2 * tally.failed
    assert tally.reconnects == 0  # what has been wrong with it is not the connection


@pytest.mark.parametrize(
    ("parts", "error", "heard_each", "lost_each"),
    [
        ((CHUNKED, *map(chunk, THREE), 30.0), "stream never ended", 3, 0),
        ((CHUNKED, chunk(event(0)), *[0.02, chunk(b": still here\n\n")] * 500), "timeout", 1, 2),
        ((CHUNKED, *[0.02, chunk(b": still here\n\n")] * 500), "timeout", 0, 3),
        ((30.0,), "timeout", 0, 0),
    ],
    ids=["no end", "only heartbeats", "heartbeats from the start", "silence"],
)
def test_a_stream_that_does_not_end_is_named_and_what_came_of_it_is_counted(
    parts: tuple[Part, ...], error: str, heard_each: int, lost_each: int
) -> None:
    waiting = threading.Event()  # ends the server's sleep with the test

    def script(connection: socket.socket) -> None:
        if read_request(connection):
            for part in parts:
                if isinstance(part, float):
                    waiting.wait(part)
                else:
                    connection.sendall(part)

    def measure() -> None:
        tally = heard(script, 3, seconds=0.6, timeout_s=0.2)
        assert set(tally.errors) == {error}
        streams_begun = tally.failed + tally.unfinished
        assert sum(came(tally)) == pytest.approx(heard_each * streams_begun, abs=heard_each)
        assert tally.events.lost == lost_each * tally.failed

    measured_right(measure)
    waiting.set()


def test_a_stream_may_last_longer_than_the_timeout_of_a_request() -> None:
    parts = in_chunks(event(0), *(part for number in range(1, 5) for part in (0.15, event(number))))

    def attempt(seconds: float) -> Tally:
        return heard(scripted(*parts), 5, seconds, timeout_s=0.5)

    tally = long_enough(attempt, lambda tally: tally.answered >= 2 and not tally.errors, 1.5)
    assert not tally.errors
    assert tally.answered >= 2


GAPS = (0.1, 0.2, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1, 0.5)  # the last one is a freeze
HEARTBEAT = chunk(b": still here\n\n")


def as_it_is(data: bytes, gap: float) -> tuple[Part, ...]:
    return gap, chunk(data)


def beside_a_heartbeat(data: bytes, gap: float) -> tuple[Part, ...]:
    return gap / 2, HEARTBEAT, gap / 2, chunk(data)


def cut_in_two(data: bytes, gap: float) -> tuple[Part, ...]:
    """An event is there with its last byte."""
    return gap / 2, chunk(data[:9]), gap / 2, chunk(data[9:])


def with_crlf(data: bytes, gap: float) -> tuple[Part, ...]:
    return gap, chunk(data.replace(b"\n", b"\r\n"))


def larger_than_a_read(data: bytes, gap: float) -> tuple[Part, ...]:
    return gap, chunk(data.replace(b" ", b" " * 50_000))


FORMS = (as_it_is, beside_a_heartbeat, cut_in_two, with_crlf, larger_than_a_read)


def spaced() -> Iterator[Part]:
    yield 0.3  # before the first
    yield chunk(event(0))
    for number, gap in enumerate(GAPS, 1):
        yield from FORMS[number % len(FORMS)](event(number), gap)


@pytest.mark.waits
def test_times_of_events_are_those_of_the_script_however_each_is_written() -> None:
    script = scripted(CHUNKED, *spaced(), END)

    def measure() -> None:
        tally = heard(script, len(GAPS) + 1, 2.1, connections=3, engine=Engine())
        assert not tally.errors
        assert tally.answered == 3
        first, gaps = tally.events.first, tally.events.gaps
        assert (first.total, gaps.total) == (3, 3 * len(GAPS))
        assert first.percentile_us(50) / 1e6 == pytest.approx(0.3, rel=0.02)
        for percent, seconds in ((1, 0.1), (50, 0.1), (80, 0.2), (100, 0.5)):
            assert gaps.percentile_us(percent) / 1e6 == pytest.approx(seconds, rel=0.02)

    measured_right(measure)
