"""A proxy that does something wrong to one answer in so many.

Arguments: port, port of the service, what to do (nothing, wrong, twice, reset, never), one in how
many. It takes each piece that comes from the service for one answer, as it is for short ones.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import sys

from loadtest.system.ports import LOOPBACK

FAULTS = ("nothing", "wrong", "twice", "reset", "never")
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards between its clients and the service."""

    def __init__(self, port: int, upstream: int, fault: str, one_in: int) -> None:
        self._upstream, self._fault, self._one_in = upstream, fault, one_in
        self._answers = 0
        self._selector = selectors.DefaultSelector()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._of_service: set[socket.socket] = set()
        self._silenced: list[socket.socket] = []  # clients who wait for ever
        self._listener = socket.create_server((LOOPBACK, port), backlog=4096)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def serve(self) -> None:
        """For ever."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._peers:
                    self._forward(key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        service = socket.create_connection((LOOPBACK, self._upstream))
        self._of_service.add(service)
        for one, other in ((client, service), (service, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _forward(self, source: socket.socket) -> None:
        data = b""
        with contextlib.suppress(OSError):
            data = source.recv(65536)
        if data and source in self._of_service:
            data = self._answer(source, data)
        elif not data:
            self._close(source)
        if data:
            with contextlib.suppress(OSError):
                self._peers[source].sendall(data)

    def _answer(self, source: socket.socket, data: bytes) -> bytes:
        self._answers += 1
        if self._answers % self._one_in or self._fault == "nothing":
            return data
        if self._fault == "reset":
            self._peers[source].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._close(source)
        if self._fault == "never":
            self._silence(source)
        changed = {"wrong": data.replace(b"World", b"wORLD"), "twice": data + data}
        return changed.get(self._fault, b"")

    def _silence(self, source: socket.socket) -> None:
        """The client's connection stays open, also where the service closes its own."""
        client = self._peers[source]
        self._silenced.append(client)
        self._forget(client)
        source.close()

    def _close(self, one: socket.socket) -> None:
        for each in self._forget(one):
            each.close()

    def _forget(self, one: socket.socket) -> tuple[socket.socket, socket.socket]:
        """Forward nothing more between a connection and its peer."""
        pair = one, self._peers.pop(one)
        for each in pair:
            self._peers.pop(each, None)
            self._of_service.discard(each)
            self._selector.unregister(each)
        return pair


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        Proxy(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])).serve()
