from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.engine.http1.head import MalformedResponse, parse_head
from loadtest.engine.http1.passing import PassingParser
from loadtest.engine.http1.responses import Response, ResponseParser

BODIES = st.binary(max_size=200)
STATUSES = st.sampled_from([200, 201, 204, 304, 404, 422, 503])


def chunked(body: bytes, size: int, trailer: bytes = b"") -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%X;x=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + (
        b"0\r\n" + trailer + b"\r\n"
    )


@st.composite
def responses(draw: st.DrawFn) -> tuple[bytes, int, bytes]:
    """The bytes of a response, its status and its body."""
    status, body = draw(STATUSES), draw(BODIES)
    head = b"HTTP/1.1 %d Some reason\r\nX-Thing:  a b \r\n" % status
    if draw(st.booleans()):
        head = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + head
    if status in (204, 304):
        return head + b"\r\n", status, b""
    if draw(st.booleans()):
        return head + b"content-length: %d\r\n\r\n" % len(body) + body, status, body
    trailer = draw(st.sampled_from([b"", b"X-Sum: 1\r\n", b"A: b\r\nC: d\r\n"]))
    size = draw(st.integers(1, 50))
    head += b"Transfer-Encoding: chunked\r\n\r\n"
    return head + chunked(body, size, trailer), status, body


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(responses(), st.lists(st.integers(0, 10_000), max_size=20))
def test_any_split_gives_the_same_response(
    response: tuple[bytes, int, bytes], cuts: list[int]
) -> None:
    data, status, body = response
    parser = ResponseParser()
    *early, last = [parser.feed(piece) for piece in pieces_of(data, cuts)]
    assert early == [None] * len(early)
    assert last is not None
    assert (last.head.status, last.body, last.leftover) == (status, body, b"")
    assert last.head.keep_alive
    assert parser.empty


@given(responses(), responses())
def test_what_comes_behind_a_response_is_left_over(
    first: tuple[bytes, int, bytes], second: tuple[bytes, int, bytes]
) -> None:
    response = ResponseParser().feed(first[0] + second[0])
    assert response is not None
    assert response.body == first[2]
    assert response.leftover == second[0]


@given(st.lists(st.binary(min_size=1, max_size=100), max_size=10))
def test_garbage_is_refused_or_waits_for_more(pieces: list[bytes]) -> None:
    parser = ResponseParser()
    try:
        for piece in pieces:
            assert isinstance(parser.feed(piece), Response | None)
    except MalformedResponse:
        return


@given(responses(), st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_damage_never_raises_anything_else(
    response: tuple[bytes, int, bytes], place: int, wrong: bytes
) -> None:
    data = response[0]
    place %= len(data)
    parser = ResponseParser()
    try:
        parser.feed(data[:place] + wrong + data[place + 1 :])
        parser.finish()
    except MalformedResponse:
        return


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    parser = ResponseParser()
    assert parser.feed(b"HTTP/1.1 200 OK\r\n\r\nhel") is None
    assert parser.feed(b"lo") is None
    response = parser.finish()
    assert response is not None
    assert response.body == b"hello"
    assert not response.head.keep_alive


@pytest.mark.parametrize("cut", [b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"])
def test_a_cut_response_is_no_response(cut: bytes) -> None:
    parser = ResponseParser()
    assert parser.feed(cut) is None
    assert parser.finish() is None


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, close", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive", True),
    ],
)
def test_whether_the_connection_goes_on(head: bytes, keeps: bool) -> None:
    assert parse_head(head).keep_alive is keeps


@given(responses(), st.binary(max_size=9), st.lists(st.integers(0, 10_000), max_size=20))
def test_a_body_that_is_passed_on_is_the_same_and_what_is_kept_is_its_beginning(
    response: tuple[bytes, int, bytes], behind: bytes, cuts: list[int]
) -> None:
    data, status, body = response
    passed: list[bytes] = []
    parser = PassingParser(keep=5, take=passed.append)
    found = [parser.feed(piece) for piece in pieces_of(data, cuts)]
    last = found.pop()
    assert found == [None] * len(found)
    assert last is not None
    assert (last.head.status, last.body, last.size) == (status, body[:5], len(body))
    assert b"".join(passed) == body
    assert parser.empty
    again = parser.feed(data + behind)  # it is ready for the next
    assert again is not None
    assert (again.size, again.leftover) == (len(body), behind)


@given(BODIES, st.lists(st.integers(0, 10_000), max_size=20))
def test_a_body_that_only_the_close_ends_is_passed_on(body: bytes, cuts: list[int]) -> None:
    data = b"HTTP/1.1 200 OK\r\n\r\n" + body
    passed: list[bytes] = []
    parser = PassingParser(take=passed.append)
    assert [each for piece in pieces_of(data, cuts) if (each := parser.feed(piece))] == []
    assert b"".join(passed) == body
    last = parser.finish()
    assert last is not None
    assert (last.size, last.head.keep_alive) == (len(body), False)


@given(responses(), st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_damage_is_found_alike_whether_a_body_is_kept_or_not(
    response: tuple[bytes, int, bytes], place: int, wrong: bytes
) -> None:
    place %= len(response[0])
    data = response[0][:place] + wrong + response[0][place + 1 :]
    assert told(PassingParser(), data) == told(ResponseParser(), data)


def told(parser: ResponseParser, data: bytes) -> tuple[int, int] | str | None:
    try:
        found = parser.feed(data) or parser.finish()
    except MalformedResponse as error:
        return str(error)
    return (found.head.status, found.size) if found else None


@pytest.mark.parametrize("frame", ["length", "chunks", "close"])
def test_a_body_of_fifty_megabytes_takes_no_room(frame: str) -> None:
    part = bytes(65_536)
    head = {
        "length": b"Content-Length: %d\r\n\r\n" % (800 * len(part)),
        "chunks": b"Transfer-Encoding: chunked\r\n\r\n",
        "close": b"\r\n",
    }[frame]
    before, after = (b"10000\r\n", b"\r\n") if frame == "chunks" else (b"", b"")
    parser = PassingParser()
    parser.feed(b"HTTP/1.1 200 OK\r\n" + head)
    tracemalloc.start()
    for _ in range(799):
        assert parser.feed(before + part + after) is None
    last = parser.feed(before + part + after + (b"0\r\n\r\n" if before else b""))
    last = last or parser.finish()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert last is not None
    assert last.size == 800 * len(part)
    assert most < 1_000_000


@pytest.mark.parametrize("head", ["Content-Length: 99", "Transfer-Encoding: chunked", "X: y"])
def test_an_answer_to_head_has_no_body_whatever_it_says(head: str) -> None:
    data = f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode()
    found = PassingParser(bodiless=True).feed(data)
    assert found is not None
    assert (found.size, found.head.keep_alive, found.leftover) == (0, True, b"")
    kept = ResponseParser().feed(data)  # what is known of a head is not HEAD's
    assert kept is None
