"""What every other parser takes the engine takes alike, and what every other refuses it refuses."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from loadtest.engine.http1.head import MalformedResponse
from loadtest.engine.http1.responses import Response, ResponseParser
from tests.loadtest.engine.other_parsers import OTHERS, by_us


def mostly(usual: bytes, *odd: bytes) -> some.SearchStrategy[bytes]:
    return some.one_of(some.just(usual), some.just(usual), some.sampled_from([usual, *odd]))


STATUS_LINES = mostly(
    *(b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.1  200 OK"),
    *(b"HTTP/1.0 200 OK", b"HTTP/1.2 200 OK", b"HTTP/2.0 200 OK", b"http/1.1 200 OK"),
    *(b"HTTP/1.1 099 X", b"HTTP/1.1 2000 X", b"HTTP/1.1 600 X", b"HTTP/1.1\t200 OK"),
)
FIELDS = mostly(
    *(b"X: y", b"X:y", b"X:", b"X : y", b" X: y", b"X: a\0b", b"X: a\rb", b"X: \xff", b"X@: y"),
    *(b": y", b"none", b"X: a\r\n b", b"X:\n\tb", b"X\0: y", b"X: y\r", b"Connection: close"),
)
LENGTHS = mostly(
    *(b"5", b"5, 5", b"5,6", b"05", b"0000000000000005", b"+5", b"-5", b"5 5", b"0x5", b"", b","),
    *(b"5_0", b"5.0", b"5\t", b"5\x0b", b"99999999999999999999"),
)
CODINGS = mostly(
    *(b"chunked", b"Chunked", b"xchunked", b"chunked, chunked", b"gzip, chunked", b"identity"),
    *(b"chunked, gzip", b"chunked;a=b", b",chunked", b"", b"x chunked", b"chunked\x0b"),
)
SIZES = mostly(
    *(b"5", b"05", b"0000000000000005", b"00000000000000000005", b"0x5", b"5 ", b" 5", b"5;a=b"),
    *(b"5 ;a", b"5;a\0", b"5;a\rb", b"+5", b"-5", b"5_", b"g", b"", b"f" * 17, b"5\x0b"),
)
ENDS = mostly(b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"")
TRAILERS = mostly(
    b"", b"A: b\r\n", b"A: b\n", b"bad\r\n", b"A\0: b\r\n", b"A: \0\r\n", b" A: b\r\n"
)


@some.composite
def responses(draw: some.DrawFn) -> bytes:
    """A response of five bytes, right or wrong in several places."""
    fields = draw(some.lists(FIELDS, max_size=2))
    body = b"hello"
    how = draw(some.sampled_from(["length", "chunks", "close"]))
    if how == "length":
        fields.append(b"Content-Length: " + draw(LENGTHS))
    elif how == "chunks":
        fields.append(b"Transfer-Encoding: " + draw(CODINGS))
        body = draw(SIZES) + draw(ENDS) + body + draw(ENDS)
        body += draw(mostly(b"0", b"000", b"0;a", b"0 ")) + draw(ENDS) + draw(TRAILERS) + b"\r\n"
    end = draw(mostly(b"\r\n", b"\n"))
    head = end.join([draw(STATUS_LINES), *draw(some.permutations(fields))])
    before = draw(
        mostly(b"", b"HTTP/1.1 100 Go\r\n\r\n", b"HTTP/1.1 103 E\r\nA: b\r\n\r\n", b"\r\n")
    )
    return before + head + end + end + body


@settings(max_examples=600)
@given(responses())
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 5\r\n\r\nhello")
@example(b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 5\r\n\r\nhello")
def test_the_engine_is_no_stranger_among_parsers(data: bytes) -> None:
    verdicts = [other(data) for other in OTHERS]
    if all(verdict == verdicts[0] for verdict in verdicts):
        assert by_us(data) == verdicts[0]


@settings(max_examples=300)
@given(responses(), some.integers(1, 7))
def test_the_verdict_does_not_depend_on_how_the_bytes_arrive(data: bytes, size: int) -> None:
    def verdict(pieces: list[bytes]) -> object:
        parser = ResponseParser()
        try:
            for piece in pieces:
                if response := parser.feed(piece):
                    return response.head, response.body
            response = parser.finish()
        except MalformedResponse as malformed:
            return str(malformed)
        return (response.head, response.body) if response else None

    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert verdict(pieces) == verdict([data])


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        HEAD + b"X: a\r\n  b\r\nContent-Length:\r\n\t5\r\n\r\nhello",
        HEAD + b"Content-Length: 5, 5\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nContent-Length: 0005\r\n\r\nhello",
        HEAD + b"Content-Length: 0000000000000005\r\n\r\nhello",
        CHUNKED + b"\r\n0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n",
        CHUNKED + b"\r\n5 \t;a=b\r\nhello\r\n0\r\nX-Sum: 1\nY: 2\r\n\r\n",
        CHUNKED + b"Content-Length: 1, 2\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: ,\r\nTransfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 \t 200\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.7 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        HEAD + b"X: " + b"a" * 60_000 + b"\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
def test_what_a_user_agent_may_accept_is_accepted(data: bytes) -> None:
    response = ResponseParser().feed(data)
    assert isinstance(response, Response)
    assert (response.head.status, response.body, response.head.keep_alive) == (200, b"hello", True)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        (b"\x16\x03\x01", "not HTTP"),
        (b"HTTP/2 200\r\n\r\n", "other HTTP version"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "malformed status line"),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", "malformed status line"),
        (HEAD + b"no colon\r\n\r\n", "malformed header"),
        (HEAD + b"X : y\r\n\r\n", "malformed header"),
        (HEAD + b" X: y\r\n\r\n", "malformed header"),
        (HEAD + b"X: a\0b\r\n\r\n", "malformed header"),
        (HEAD + b"X: a\rb\r\n\r\n", "malformed header"),
        (HEAD + b"X: a\r\r\n\r\n", "malformed header"),
        (HEAD + b"X: " + b"a" * 70_000, "head too large"),
        (HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n", "head too large"),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "malformed length"),
        (HEAD + b"Content-Length: 5, 6\r\n\r\n", "malformed length"),
        (HEAD + b"Content-Length: -1\r\n\r\n", "malformed length"),
        (HEAD + b"Content-Length:\r\n\r\n", "malformed length"),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", "body too large"),
        (HEAD + b"Transfer-Encoding: xchunked\r\n\r\n", "unknown transfer coding"),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "unknown transfer coding"),
        (CHUNKED + b"\r\nxyz", "malformed chunk"),
        (CHUNKED + b"\r\n5\nhello\r\n", "malformed chunk"),
        (CHUNKED + b"\r\n2\r\nabX", "malformed chunk"),
        (CHUNKED + b"\r\nffffffffffffffff\r\n", "body too large"),
        (CHUNKED + b"\r\n0\r\nbad trailer\r\n\r\n", "malformed header"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", "status 101"),
    ],
)
def test_each_refusal_has_its_name(data: bytes, name: str) -> None:
    with pytest.raises(MalformedResponse) as refused:
        ResponseParser().feed(data)
    assert str(refused.value) == name
