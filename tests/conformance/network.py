"""A relay in front of Postgres that can be cut, so that one service loses its database and no
other.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

from loadtest.system import ports


class Relay:
    """Passes bytes between `port`, which it takes, and `target` on the loopback while it is up."""

    def __init__(self, target: int) -> None:
        self._target = target
        (self.port,) = ports.free(1)  # also while it is cut, and nothing listens
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.cut()
        ports.release(self.port)

    def connect(self) -> None:
        """Let connections through from now on."""
        if self._listener is not None:
            return
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections and end the open ones."""
        with self._lock:
            if self._listener is not None:
                _end(self._listener)
                self._listener = None
            for connection in self._open:
                _end(connection)
            self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                with self._lock:
                    if self._listener is not listener:  # cut while it was let through
                        _end(near)
                        _end(far)
                        return
                    self._open |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while received := source.recv(65_536):
                sink.sendall(received)
        with self._lock:
            self._open -= {source, sink}
        _end(source)
        _end(sink)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
