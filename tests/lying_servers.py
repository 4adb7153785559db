"""Servers that answer as a test scripts them, on real sockets, one thread a connection."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

CERTIFICATES = Path(__file__).with_name("certificates")
Script = Callable[[socket.socket], None]

OK = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n"
    b'{"message":"Hello, World!"}'
)


def read_request(connection: socket.socket) -> bytes:
    """One request without a body; empty where the client has gone."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        got = connection.recv(65536)
        if not got:
            return b""
        data += got
    return data


def answering(*answers: bytes) -> Script:
    """Keep the connection and give the answers in turn, the last one for ever."""

    def script(connection: socket.socket) -> None:
        number = 0
        while read_request(connection):
            connection.sendall(answers[min(number, len(answers) - 1)])
            number += 1

    return script


def never(connection: socket.socket) -> None:
    """Give no answer."""
    while connection.recv(65536):
        pass


def once(answer: bytes) -> Script:
    """Give one answer and close."""

    def script(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(answer)

    return script


def over_tls(
    script: Script,
    certificate: str = "here",
    *,
    asks_client: bool = False,
    at_most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
) -> Script:
    """The same over TLS, by one of tests/certificates; `asks_client` for a certificate, too."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    context.maximum_version = at_most
    if asks_client:
        context.verify_mode = ssl.CERT_REQUIRED

    def secured(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as within:
            script(within)

    return secured


@contextlib.contextmanager
def serving(script: Script) -> Iterator[int]:
    """Run `script` for each connection; yields the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        open_now: set[socket.socket] = set()
        threading.Thread(target=_accept, args=(listener, script, open_now), daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for connection in list(open_now):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, script: Script, open_now: set[socket.socket]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        open_now.add(connection)
        threading.Thread(target=_run, args=(connection, script, open_now), daemon=True).start()


def _run(connection: socket.socket, script: Script, open_now: set[socket.socket]) -> None:
    with connection, contextlib.suppress(OSError):
        script(connection)
    open_now.discard(connection)
