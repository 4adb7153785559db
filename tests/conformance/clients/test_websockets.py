"""What a WebSocket refuses, and how it says so."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from typing import BinaryIO

import pytest

from loadtest.contract.conformance import Client
from loadtest.inventory.manifest import CLOSE_CODES, Service
from tests.conformance.clients import wire
from tests.conformance.clients.test_departure import taken
from tests.conformance.clients.test_offers import WEBSOCKET
from tests.waiting import eventually

TEXT, END, CLOSE = 0x1, 0x80, 0x8  # first bytes of frames
INVALID = 1007
# Bytes that are no text: cut off, too long, a surrogate, beyond the last plane.
WRONG = (b"\xc3", b"ab\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80")


def frame(first: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros."""
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


def opened(service: Service) -> socket.socket:
    client = wire.connect(service)
    client.sendall(wire.head("GET", "/ws", *WEBSOCKET))
    return client


def close_code(received: BinaryIO) -> int:
    """The code in the close frame, which is the next one; 0 where none comes, or one without."""
    head = received.read(2)
    if not head:
        return 0
    first, length = head
    assert first & 0xF == CLOSE
    return int.from_bytes(received.read(length)[:2], "big")


def has_websocket(service: Service) -> bool:
    with Client(service.url()) as client:
        return bool(json.loads(client.send("GET", "/about").body)["websocket"])


def in_words_of_its_own(service: Service) -> bool:
    """Whether a server in Python sees the handshake, and so may refuse it."""
    return "lab.serve" in service.command and has_websocket(service)


def ended_with(service: Service, frames: Iterable[bytes]) -> int:
    """The code with which the service ends a socket that gets these frames."""
    with opened(service) as client, client.makefile("rb") as received:
        assert b" 101 " in received.readline()
        while received.readline() != b"\r\n":
            pass
        client.sendall(b"".join(frames))
        return close_code(received)


@pytest.mark.parametrize("wrong", WRONG)
def test_text_that_is_not_utf8_ends_the_socket(service: Service, wrong: bytes) -> None:
    if not has_websocket(service):
        with opened(service) as client, client.makefile("rb") as received:
            assert wire.statuses(received, ["GET"]) == [404]
        return
    code = 0 if CLOSE_CODES in service.leaves_out else INVALID
    assert ended_with(service, [frame(TEXT | END, wrong)]) == code
    assert ended_with(service, [frame(TEXT, wrong[:1]), frame(END, wrong[1:])]) == code


@pytest.mark.parametrize("offers", [WEBSOCKET[:2], WEBSOCKET[:3], WEBSOCKET[1:]])
def test_handshake_that_lacks_something_is_refused(
    service: Service, offers: tuple[str, ...]
) -> None:
    with wire.connect(service) as client, client.makefile("rb") as received:
        client.sendall(wire.head("GET", "/ws", *offers))
        if in_words_of_its_own(service):
            (status,) = wire.statuses(received, ["GET"])
        else:
            status, document = wire.answer(received) or (0, {})
            assert document["error"]["code"] in ("malformed", "not_found")
    assert status in (400, 404, 426)
    assert eventually(lambda: not taken(service))
