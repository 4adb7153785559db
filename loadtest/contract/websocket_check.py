"""Does `/ws` send back what it was sent?"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Request,
    TextMessage,
)

ECHO_TIMEOUT_S = 10.0
_MESSAGES: tuple[str | bytes, ...] = ("hello", "Zoë 😀", "", b"\x00\xff", b"", "x" * 100_000)


def check_echo(base_url: str) -> Iterator[str]:
    """One line for each message that does not come back as it was sent; raises OSError."""
    address = urlsplit(base_url)
    with socket.create_connection((address.hostname, address.port), ECHO_TIMEOUT_S) as connection:
        protocol = WSConnection(ConnectionType.CLIENT)
        connection.sendall(protocol.send(Request(host=address.netloc, target="/ws")))
        answer = next(_events(protocol, connection))
        if not isinstance(answer, AcceptConnection):
            yield f"the handshake ends in {answer}"
            return
        for message in _MESSAGES:
            returned = _exchange(protocol, connection, message)
            if returned != message:
                yield f"{message[:20]!r} comes back as {returned[:20]!r}"
        connection.sendall(protocol.send(CloseConnection(code=1000)))
        if not any(isinstance(event, CloseConnection) for event in _events(protocol, connection)):
            yield "the closing handshake is not answered"


def _exchange(
    protocol: WSConnection, connection: socket.socket, message: str | bytes
) -> str | bytes:
    event: Event = TextMessage(message) if isinstance(message, str) else BytesMessage(message)
    connection.sendall(protocol.send(event))
    parts: list[str | bytes] = []
    for part in _events(protocol, connection):
        if not isinstance(part, Message):
            raise ConnectionError(f"got {part} instead of a message")
        parts.append(part.data)
        if part.message_finished:
            break
    return "".join(map(str, parts)) if isinstance(parts[0], str) else b"".join(map(bytes, parts))  # type: ignore[arg-type]


def _events(protocol: WSConnection, connection: socket.socket) -> Iterator[Event]:
    while True:
        yield from protocol.events()
        received = connection.recv(65_536)
        if not received:
            return
        protocol.receive_data(received)
