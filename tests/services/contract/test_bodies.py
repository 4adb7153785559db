"""JSON bodies: media type, size, syntax."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.contract import bodies
from lab.contract.errors import Fault

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.floats(-1e300, 1e300),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(DOCUMENTS)
def test_json_is_read_as_the_standard_library_reads_it(document: Any) -> None:
    assert bodies.parse(json.dumps(document).encode()) == document


def refusal(raw: bytes) -> Fault | None:
    """The fault that a body ends in, None for one that is read."""
    try:
        bodies.parse(raw)
    except Fault as fault:
        return fault
    return None


@given(st.binary())
def test_any_bytes_are_a_value_or_a_fault(raw: bytes) -> None:
    fault = refusal(raw)
    if fault is not None:
        assert fault.status in (400, 422)
        assert [name for name, _ in fault.fields] == ["body"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"NaN",
        b"[Infinity]",
        b"\xef\xbb\xbf1",
        b'"\xff"',
        b"1 1",
        b"[" * 20_000,
        b'"\\' * 100_000,
    ],
)
def test_what_is_not_json_is_400(raw: bytes) -> None:
    with pytest.raises(Fault) as raised:
        bodies.parse(raw)
    assert (raised.value.status, raised.value.code) == (400, "malformed")
    assert "\n" not in raised.value.message


def test_wrong_values_are_no_wrong_syntax() -> None:
    assert bodies.parse(b'"\\ud800"') == "\ud800"
    assert bodies.parse(b"1e400") == float("inf")
    assert bodies.parse(b"1" + b"0" * 5_000) == float("inf")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_let_in(content_type: str) -> None:
    bodies.check_head(content_type, str(bodies.LIMIT_BYTES))


@pytest.mark.parametrize(
    ("content_type", "length", "status"),
    [
        (None, "1", 415),
        ("text/json", None, 415),
        ("application/jsonx", "1", 415),
        ("text/plain", "999999999", 415),
        ("application/json", "262145", 413),
    ],
)
def test_head_is_refused(content_type: str | None, length: str | None, status: int) -> None:
    with pytest.raises(Fault) as raised:
        bodies.check_head(content_type, length)
    assert raised.value.status == status


def head(length: str) -> dict[str, str]:
    return {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": length}


def test_a_body_is_read_to_its_announced_end() -> None:
    assert bodies.read(io.BytesIO(b"[1]"), head("3")) == b"[1]"
    assert bodies.read(io.BytesIO(b"[1]"), head("")) == b"[1]"
    with pytest.raises(Fault) as raised:
        bodies.read(io.BytesIO(b"[1]"), head("4"))
    assert (raised.value.status, raised.value.code) == (400, "malformed")


@pytest.mark.parametrize(("head", "left"), [({}, 0), ({"expect": "100-continue"}, 3)])
def test_a_refused_body_is_read_away_where_it_comes_anyway(head: dict[str, str], left: int) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x"

    async def remaining() -> int:
        chunks = body()
        await bodies.drained(chunks, head)
        return len([chunk async for chunk in chunks])

    assert asyncio.run(remaining()) == left


def test_a_refused_body_that_stops_coming_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SILENCE_S", 0.01)

    async def silent() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    asyncio.run(bodies.drained(silent(), {}))


@pytest.mark.parametrize(
    ("read", "told"),
    [(bodies.gathered, "the body was not whole after 0 s"), (bodies.drained, "")],
)
def test_a_chunk_that_swallows_the_timeout_does_not_make_a_body_endless(
    monkeypatch: pytest.MonkeyPatch, read: Callable[..., Awaitable[object]], told: str
) -> None:
    """As `asyncio.wait_for` of Python 3.11 does where a chunk and the end of the time meet."""
    for name in ("WAIT_S", "DRAIN_S"):
        monkeypatch.setattr(bodies, name, 0.05)

    async def deaf() -> AsyncIterator[bytes]:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
            yield b" "

    async def ended() -> str:
        try:
            await read(deaf(), {"content-type": "application/json"})
        except Fault as fault:
            return fault.fields[0][1]
        return ""

    assert asyncio.run(ended()) == told
