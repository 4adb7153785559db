"""The WebSocket echo."""

from __future__ import annotations

from fastapi import WebSocket, WebSocketDisconnect


async def echo(socket: WebSocket) -> None:
    """Send each message back as it came, until the client goes."""
    await socket.accept()
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        try:
            if text is not None:
                await socket.send_text(text)
            else:
                await socket.send_bytes(message["bytes"])
        except WebSocketDisconnect:
            return
