"""Pings, closes and losses of a WebSocket, at any moment."""

from __future__ import annotations

import itertools
import re
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from wsproto import ConnectionType, WSConnection, events
from wsproto.frame_protocol import FrameProtocol

from loadtest.engine.tally import Tally
from tests.driving import drive, driven, long_enough, measured_right
from tests.lying_servers import Script, serving
from tests.waiting import eventually

THINK_S = 0.06
MEANWHILE_S = THINK_S / 12  # after an answer: it is in by then, and the client pauses
MOMENTS = ["none", "before", "with", "within", "behind", "between", "halved"]


class Socket:
    """The server's end of one WebSocket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._coming = self._events()
        next(self._coming)
        self.send(events.AcceptConnection())

    def _events(self) -> Iterator[events.Event]:
        while data := self._connection.recv(65536):
            self._protocol.receive_data(data)
            yield from self._protocol.events()

    def next(self) -> events.Event | None:
        """What comes next; None where the client has gone."""
        return next(self._coming, None)

    def made(self, *said: events.Event) -> bytes:
        return b"".join(self._protocol.send(each) for each in said)

    def send(self, *said: events.Event) -> None:
        """All in one piece."""
        self._connection.sendall(self.made(*said))

    def raw(self, data: bytes) -> None:
        self._connection.sendall(data)


class Pinging:
    """Echoes, with a ping at the next moment of `moments`, and says nothing until it is answered.

    A message may well be on its way to the server when a ping is on its way to the client.
    """

    def __init__(self, moments: list[str]) -> None:
        self._moments = itertools.cycle(moments)

    def __call__(self, connection: socket.socket) -> None:
        end, early = Socket(connection), list[events.Event]()
        for number in itertools.count():
            message = early.pop() if early else end.next()
            if not isinstance(message, events.TextMessage):
                return
            moment, payload = next(self._moments), b"%d" % number
            self._answer(end, message.data, events.Ping(payload), moment)
            while moment != "none" and (event := end.next()) != events.Pong(payload):
                if event is None:
                    return
                early.append(event)

    def _answer(self, end: Socket, text: str, ping: events.Ping, moment: str) -> None:
        whole = events.TextMessage(text)
        if moment == "before":
            end.send(ping)
            end.send(whole)
        elif moment == "with":
            end.send(ping, whole)
        elif moment == "within":
            middle = len(text) // 2
            end.send(events.TextMessage(text[:middle], message_finished=False), ping)
            end.send(events.TextMessage(text[middle:]))
        elif moment == "behind":
            end.send(whole, ping)
        elif moment == "halved":
            end.send(whole)
            frame = end.made(ping)
            end.raw(frame[:1])
            end.raw(frame[1:])
        else:
            end.send(whole)
            if moment == "between":
                threading.Event().wait(MEANWHILE_S)
                end.send(ping)


@settings(max_examples=20)
@given(
    moments=some.lists(some.sampled_from(MOMENTS), min_size=1, max_size=8),
    think_s=some.sampled_from([0.0, THINK_S / 6]),
    connections=some.integers(1, 3),
)
def test_a_ping_is_answered_at_any_moment(
    moments: list[str], think_s: float, connections: int
) -> None:
    def attempt(seconds: float) -> Tally:
        with serving(Pinging(moments)) as port:
            return drive(
                port,
                scenario="websocket",
                seconds=seconds,
                think_s=think_s,
                connections=connections,
            )

    tally = long_enough(attempt, lambda found: found.answered > 3)
    assert tally.failed == tally.reconnects == 0
    assert tally.answered > 3


def test_a_ping_that_comes_with_the_handshake() -> None:
    found: list[events.Event | None] = []

    def script(connection: socket.socket) -> None:
        protocol = WSConnection(ConnectionType.SERVER)
        protocol.receive_data(connection.recv(65536))
        accepted = protocol.send(events.AcceptConnection())
        connection.sendall(accepted + bytes(FrameProtocol(client=False, extensions=[]).ping(b"hi")))
        while data := connection.recv(65536):
            protocol.receive_data(data)
            for event in protocol.events():
                found.append(event)
                if isinstance(event, events.TextMessage):
                    connection.sendall(protocol.send(events.TextMessage(event.data)))

    tally = driven(script, 3, scenario="websocket")
    assert tally.failed == tally.reconnects == 0
    assert tally.answered > 3
    assert events.Pong(b"hi") in found[:3]


def closing(code: int, *, when: str, replies: list[events.Event | None]) -> Script:
    """Echoes three times and closes: instead of an answer, with one, or while the client pauses."""

    def script(connection: socket.socket) -> None:
        end = Socket(connection)
        farewell = events.CloseConnection(code)
        for left in (2, 1, 0):
            message = end.next()
            if not isinstance(message, events.TextMessage):
                return
            echo = events.TextMessage(message.data)
            if left:
                end.send(echo)
            elif when == "instead":
                end.send(farewell)
            elif when == "with":
                end.send(echo, farewell)
            else:
                end.send(echo)
                threading.Event().wait(MEANWHILE_S)
                end.send(farewell)
        while isinstance(reply := end.next(), events.TextMessage):
            pass  # it was on its way already
        replies.append(reply)

    return script


@pytest.mark.parametrize("when", ["instead", "with", "between"])
@pytest.mark.parametrize("code", [1000, 1001, 1011, 4321])
def test_a_close_is_answered_and_counted_under_its_code(code: int, when: str) -> None:
    replies: list[events.Event | None] = []

    def attempt(seconds: float) -> Tally:
        with serving(closing(code, when=when, replies=replies)) as port:
            return drive(port, scenario="websocket", seconds=seconds, think_s=THINK_S)

    tally = long_enough(attempt, lambda tally: tally.failed > 1, 0.6)
    assert set(tally.errors) == {f"closed {code}"}
    assert tally.failed == pytest.approx(tally.answered / (2 if when == "instead" else 3), abs=1)
    assert abs(tally.reconnects - tally.failed) <= 1
    assert eventually(lambda: any(replies))
    answered = [reply for reply in replies if reply is not None]
    assert all(isinstance(reply, events.CloseConnection) for reply in answered)
    assert {reply.code for reply in answered if isinstance(reply, events.CloseConnection)} == {code}


BREAKS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "connection (closed|reset)"),
    "a frame that is none": (b"\xff\xff\xff", "not WebSocket"),
    "a masked frame": (b"\x81\x81\0\0\0\0x", "not WebSocket"),
    "a close of one byte": (b"\x88\x01\x03", "not WebSocket"),
    "a close without a code": (b"\x88\x00", "closed 1005"),
    "a message that nobody asked for": (b"\x81\x02hi", "excess bytes"),
}


@pytest.mark.waits
@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("open_loop", [False, True], ids=["closed", "open"])
def test_a_socket_lost_between_two_messages_is_an_error_with_a_name(
    how: str, open_loop: bool
) -> None:
    measured_right(lambda: lost_between_two(how, open_loop=open_loop))


def lost_between_two(how: str, *, open_loop: bool) -> None:
    said, name = BREAKS[how]
    ended = itertools.count()

    def script(connection: socket.socket) -> None:
        end = Socket(connection)
        message = end.next()
        if isinstance(message, events.TextMessage):
            end.send(events.TextMessage(message.data))
            threading.Event().wait(MEANWHILE_S)
            end.raw(said)
            next(ended)

    with serving(script) as port:
        options = {"arrivals": itertools.count(0.0, THINK_S)} if open_loop else {}
        tally = drive(port, scenario="websocket", seconds=0.4, think_s=THINK_S, **options)  # type: ignore[arg-type]
    assert all(re.fullmatch(name, error) for error in tally.errors), tally.errors
    assert tally.answered > 3
    assert tally.failed == pytest.approx(tally.answered, abs=1)
    assert tally.failed == pytest.approx(next(ended), abs=1)
