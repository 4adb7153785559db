"""The WebSocket echo."""

from __future__ import annotations

from typing import Any

from quart import websocket
from quart.asgi import ASGIWebsocketConnection

from lab import internals

internals.check(__name__)


class Connection(ASGIWebsocketConnection):
    """Quart's, which takes a binary message without a byte for text and then fails."""

    async def handle_messages(self, receive: Any) -> None:
        async def received() -> Any:
            event = await receive()
            if event["type"] == "websocket.receive":
                event.setdefault("text", None)
            return event

        await super().handle_messages(received)


async def echo() -> None:
    """Send each message back as it came, until the client goes."""
    while True:
        message = await websocket.receive()
        await websocket.send(b"" if message is None else message)
