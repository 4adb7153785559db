"""An echo over a WebSocket (RFC 6455), the frames made and read by wsproto."""

from __future__ import annotations

import random
from functools import partial

import wsproto
from wsproto import events
from wsproto.connection import ConnectionType
from wsproto.frame_protocol import FrameProtocol
from wsproto.utilities import ProtocolError

from loadtest.engine.protocol import Answer
from loadtest.engine.request import Request


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
    """Upgrade, then one message in flight at a time."""

    def __init__(self, host: str, path: str, text: str) -> None:
        self._host, self._path, self._text = host, path, text
        self._protocol = wsproto.WSConnection(ConnectionType.CLIENT)
        self._received: list[str] = []

    def opening(self) -> bytes:
        return self._protocol.send(events.Request(host=self._host, target=self._path))

    def feed(self, request: Request, data: bytes) -> Answer | bytes | None:
        try:
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                taken = self._take(request, event)
                if taken is not None:
                    return taken
        except ProtocolError:
            return Answer("not WebSocket", reusable=False)
        return None

    def ended(self, _: Request, /) -> Answer:
        return Answer("cut answer" if self._received else "connection closed", reusable=False)

    def _take(self, request: Request, event: events.Event) -> Answer | bytes | None:
        if isinstance(event, events.AcceptConnection):
            return request.data
        if isinstance(event, events.Ping):
            return self._protocol.send(event.response())
        if isinstance(event, events.TextMessage):
            self._received.append(event.data)
            return self._whole(request) if event.message_finished else None
        if isinstance(event, events.RejectConnection):
            return Answer(f"status {event.status_code}", reusable=False)
        if isinstance(event, (events.BytesMessage, events.CloseConnection)):
            wrong = isinstance(event, events.BytesMessage)
            return Answer("wrong body" if wrong else "connection closed", reusable=False)
        return None

    def _whole(self, request: Request) -> Answer:
        text = "".join(self._received)
        self._received.clear()
        if text != self._text:
            return Answer("wrong body", reusable=True, size=len(text))
        if not request.verified:
            # A server's frame is unmasked and has one form only, so this is what comes each time.
            request.verify(_frame(text, client=False), len(text))
        return Answer("", reusable=True, size=len(text))
