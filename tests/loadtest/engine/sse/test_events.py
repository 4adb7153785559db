"""Events out of bytes, however they are written and cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as some

from loadtest.engine.sse.events import LARGEST_EVENT, EventError, EventReader

LINES = some.binary(max_size=20).map(lambda data: data.replace(b"\r", b"").replace(b"\n", b""))
ENDS = some.sampled_from([b"\n", b"\r\n", b"\r"])
CUTS = some.lists(some.integers(0, 10_000), max_size=20)


@some.composite
def written(draw: some.DrawFn) -> tuple[bytes, list[bytes]]:
    """Bytes of a stream, and the data of its events."""
    end = draw(ENDS)
    lines: list[bytes] = []
    found: list[bytes] = []
    for data in draw(some.lists(some.lists(LINES, min_size=1, max_size=3), max_size=5)):
        lines += draw(some.sampled_from([[], [b":"], [b": still here", b""], [b"", b""]]))
        lines += draw(some.sampled_from([[], [b"event: tick"], [b"id: 7", b"retry: 9", b"odd"]]))
        lines += [b"data: " + line for line in data]
        lines.append(b"")
        found.append(b"\n".join(data))
    mark = draw(some.sampled_from([b"", b"\xef\xbb\xbf"]))
    return mark + b"".join(line + end for line in lines), found


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(written(), CUTS)
def test_every_event_is_read_whatever_ends_its_lines_and_wherever_it_is_cut(
    stream: tuple[bytes, list[bytes]], cuts: list[int]
) -> None:
    data, events = stream
    reader = EventReader()
    found = [each for piece in pieces(data, cuts) for each in reader.feed(piece)]
    assert found == events
    assert not reader.cut


@given(written(), CUTS)
def test_an_event_comes_with_its_last_byte_and_not_later(
    stream: tuple[bytes, list[bytes]], cuts: list[int]
) -> None:
    data, events = stream
    if not events:
        return
    whole = data.rstrip(b"\r\n")
    reader = EventReader()
    before = [each for piece in pieces(whole, cuts) for each in reader.feed(piece)]
    assert len(before) < len(events)
    assert reader.cut
    ends = data[len(whole) :]
    after = [each for place in range(len(ends)) for each in reader.feed(ends[place : place + 1])]
    assert before + after == events


@pytest.mark.parametrize(
    ("data", "cut"),
    [
        (b"", False),
        (b": nothing but a comment", False),
        (b"data: 1\n\n", False),
        (b"data: 1\r\n\r", False),
        (b"dat", True),
        (b"data: 1", True),
        (b"data: 1\n", True),
        (b"data: 1\n\ndata", True),
        (b"data: 1\n: heartbeat\n", True),
    ],
)
def test_a_stream_that_ends_within_an_event_is_known(data: bytes, cut: bool) -> None:
    reader = EventReader()
    reader.feed(data)
    assert reader.cut is cut


@pytest.mark.parametrize("line", [b"x" * 1000, b"x" * 1000 + b"\ndata: "])
def test_an_event_without_end_is_refused(line: bytes) -> None:
    reader = EventReader()
    reader.feed(b"data: ")
    for _ in range(LARGEST_EVENT // len(line) - 1):
        reader.feed(line)
    with pytest.raises(EventError, match="event too large"):
        reader.feed(line * 20)


def test_a_comment_without_end_is_refused_and_many_short_ones_are_not() -> None:
    reader = EventReader()
    for _ in range(100):
        assert reader.feed(b": still here\n\n" * 1000) == []
    reader.feed(b":" * LARGEST_EVENT)
    with pytest.raises(EventError, match="event too large"):
        reader.feed(b":")
