"""Eight threads, a queue of sixteen, and 503 for any more: `python refusing.py PORT`."""

from __future__ import annotations

import contextlib
import queue
import socket
import sys
import threading
import time

THREADS, QUEUED, WAIT_S = 8, 16, 0.1
_HEAD = "HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}"
_waiting: queue.Queue[socket.socket] = queue.Queue(QUEUED)


def work() -> None:
    """Serve one connection after the other, each with one request that waits."""
    while True:
        connection = _waiting.get()
        time.sleep(WAIT_S)
        answer(connection, "200 OK", "waited")


def answer(connection: socket.socket, status: str, body: str) -> None:
    """Read a request, answer it, close."""
    connection.settimeout(1)  # one that says nothing holds nobody up for longer
    with connection, contextlib.suppress(OSError):
        connection.recv(65536)
        connection.sendall(_HEAD.format(status, len(body), body).encode())


def main() -> None:
    """Serve for ever."""
    for _ in range(THREADS):
        threading.Thread(target=work, daemon=True).start()
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512) as listener:
        while True:
            connection, _ = listener.accept()
            try:
                _waiting.put_nowait(connection)
            except queue.Full:
                answer(connection, "503 Service Unavailable", "full")


if __name__ == "__main__":
    main()
