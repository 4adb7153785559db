"""An echo over a WebSocket (RFC 6455), the frames made and read by wsproto."""

from __future__ import annotations

import random
from functools import partial

import wsproto
from wsproto import events
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.frame_protocol import FrameProtocol
from wsproto.utilities import ProtocolError

from loadtest.engine.request import Answer, Request, broken

MALFORMED = "not WebSocket"


def echo_request(host: str, path: str, size: int, seed: int) -> Request:
    """A text message of `size` bytes, and the frame in which a right server sends it back."""
    text = "".join(random.Random(seed).choices("abcdefghijklmnopqrstuvwxyz", k=size))
    return Request(
        method="WS",
        path=path,
        data=_frame(text, client=True),
        check=lambda response: "" if response.body == text.encode() else "wrong body",
        dialogue=partial(EchoDialogue, host, path, text),
    )


def _frame(text: str, *, client: bool) -> bytes:
    return bytes(FrameProtocol(client=client, extensions=[]).send_data(text, fin=True))


class EchoDialogue:
    """Upgrade, then one message in flight at a time; pings and closes are answered at any moment.

    `_reply` is what has to be sent, `_lost` why the socket is of no more use, `_answer` what
    became of the message in flight. All three belong to the bytes that came last.
    """

    def __init__(self, host: str, path: str, text: str) -> None:
        self._host, self._path, self._text = host, path, text
        self._protocol = wsproto.WSConnection(ConnectionType.CLIENT)
        self._received: list[str] = []
        self._reply = b""
        self._lost = ""
        self._answer: Answer | None = None

    def opening(self) -> bytes:
        return self._protocol.send(events.Request(host=self._host, target=self._path))

    def feed(self, request: Request, data: bytes) -> Answer | bytes | None:
        self._take_in(data, request)
        answer = self._answer
        if answer is None:
            return broken(self._lost, self._reply) if self._lost else self._reply or None
        go_on = answer.reusable and not self._lost
        return answer._replace(reusable=go_on, reply=self._reply, lost=self._lost)

    def ended(self, _: Request, /) -> Answer:
        return broken("cut answer" if self._received else "connection closed")

    def unasked(self, data: bytes, /) -> Answer | bytes:
        if not data:
            return Answer("connection closed", reusable=False)
        self._take_in(data, None)
        if self._lost:
            return Answer(self._lost, reusable=False, reply=self._reply)
        return self._reply

    def _take_in(self, data: bytes, request: Request | None) -> None:
        """Deal with all that came: a ping and an answer may well come together."""
        self._reply, self._lost, self._answer = b"", "", None
        try:
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                if not self._lost:
                    self._take(event, request)
        except ProtocolError:
            self._lost = MALFORMED

    def _take(self, event: events.Event, request: Request | None) -> None:
        if isinstance(event, events.Ping):
            self._reply += self._protocol.send(event.response())
        elif isinstance(event, events.CloseConnection):
            self._close(event)
        elif isinstance(event, (events.Pong, events.RejectData)):
            pass
        elif request is None or self._answer is not None:
            self._lost = "excess bytes"
        elif isinstance(event, events.AcceptConnection):
            self._reply += request.data
        elif isinstance(event, events.RejectConnection):
            self._answer = Answer(f"status {event.status_code}", reusable=False)
        elif isinstance(event, events.TextMessage):
            self._received.append(event.data)
            if event.message_finished:
                self._answer = self._whole(request)
        elif isinstance(event, events.BytesMessage) and event.message_finished:
            self._answer = Answer("wrong body", reusable=True)

    def _close(self, event: events.CloseConnection) -> None:
        """The server closes; or it broke the protocol, where wsproto says a close too."""
        said = self._protocol.state is ConnectionState.REMOTE_CLOSING
        self._lost = f"closed {int(event.code)}" if said else MALFORMED
        self._reply += self._protocol.send(event.response())

    def _whole(self, request: Request) -> Answer:
        text = "".join(self._received)
        self._received.clear()
        if text != self._text:
            return Answer("wrong body", reusable=True, size=len(text))
        if not request.verified:
            # A server's frame is unmasked and has one form only, so this is what comes each time.
            request.verify(_frame(text, client=False), len(text))
        return Answer("", reusable=True, size=len(text))
