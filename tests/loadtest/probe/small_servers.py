"""Small servers in this process, whose slots are known: threads that wait, behind a queue."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator

Answer = Callable[[], bytes]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def waiting(wait_s: float, answer: bytes = OK) -> Answer:
    """The same answer each time, after a wait."""

    def answers() -> bytes:
        time.sleep(wait_s)
        return answer

    return answers


def in_turn(*answers: bytes) -> Answer:
    """One after another, the last one for ever."""
    left = list(answers)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


@contextlib.contextmanager
def serving(answer: Answer, slots: int = 4, family: int = socket.AF_INET) -> Iterator[int]:
    """So many threads, each with one connection and one request at a time; yields the port."""
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    connections: queue.Queue[socket.socket | None] = queue.Queue()
    with socket.create_server((host, 0), family=family, backlog=512) as listener:
        threads = [
            threading.Thread(target=_work, args=(connections, answer), daemon=True)
            for _ in range(slots)
        ]
        accepting = threading.Thread(target=_accept, args=(listener, connections), daemon=True)
        for each in (*threads, accepting):
            each.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join()  # what it accepts last must not come after the word to end
            for _ in threads:
                connections.put(None)


def _accept(listener: socket.socket, connections: queue.Queue[socket.socket | None]) -> None:
    with contextlib.suppress(OSError):
        while True:
            connections.put(listener.accept()[0])


def _work(connections: queue.Queue[socket.socket | None], answer: Answer) -> None:
    while (connection := connections.get()) is not None:
        with connection, contextlib.suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data and (got := connection.recv(65536)):
                data += got
                if not data[:1].isalpha():
                    break  # TLS
            if data:
                connection.sendall(answer())
