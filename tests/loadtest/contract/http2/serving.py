"""A small server of HTTP/2 whose ways are known."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from h2.settings import SettingCodes, Settings

GREETING = json.dumps({"message": "Hello, World!"}).encode()


@dataclass
class Ways:
    """How it behaves, and the most requests that it has had at once.

    It takes `at_once` requests at a time and answers them together, those to `/reset` with a reset.
    After `leaves_after` requests it is gone.
    """

    at_once: int = 100
    leaves_after: int = 1_000_000
    most: int = 0
    asked: list[str] = field(default_factory=list)


def answer(connection: socket.socket, ways: Ways) -> None:
    """Speak with one client until it leaves."""
    protocol = H2Connection(H2Configuration(client_side=False))
    protocol.local_settings = Settings(
        client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: ways.at_once}
    )
    protocol.initiate_connection()
    connection.sendall(protocol.data_to_send())
    held: list[tuple[int, str]] = []
    while received := connection.recv(65_536):
        for event in protocol.receive_data(received):
            if isinstance(event, RequestReceived):
                assert event.headers is not None
                held.append((event.stream_id, dict(event.headers)[b":path"].decode()))
                ways.asked.append(held[-1][1])
        ways.most = max(ways.most, len(held))
        if len(ways.asked) >= ways.leaves_after:
            return
        _end(protocol, held)
        connection.sendall(protocol.data_to_send())


def _end(protocol: H2Connection, held: list[tuple[int, str]]) -> None:
    while held:
        stream, path = held.pop(0)
        if path == "/reset":
            protocol.reset_stream(stream)
            continue
        protocol.send_headers(stream, [(":status", "200")])
        protocol.send_data(stream, GREETING, end_stream=True)


@contextlib.contextmanager
def serving(ways: Ways, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Its port; it takes one client after another until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, ways, tls))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, ways: Ways, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection if tls is None else tls.wrap_socket(connection, server_side=True) as it:
                answer(it, ways)
