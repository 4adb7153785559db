"""A server that only answers. The load generator's rate against it is the generator's ceiling.

nginx where it is installed, else a loop like the engine's own. It serves the contract's plainest
routes, so that scenarios and checks are the real ones. The loop by itself, on a port; with a second
number it closes each connection after so many answers, without a word:

    python -m loadtest.run.ceiling.nullserver 8700
    python -m loadtest.run.ceiling.nullserver 8700 50
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from loadtest.contract import catalogue
from loadtest.system import environment, urls
from loadtest.system.paths import ROOT
from loadtest.system.ports import LOOPBACK, held
from loadtest.system.processes import Processes, wait_until
from loadtest.system.sockets import READ, new_poller

LIMITS = (1, 20, 100)  # items a page, so that there are larger answers too
_BACKLOG = 4096
_SERVED = b"HTTP/1.0 200 OK\r\nContent-Length: 20\r\n\r\n%20d"
_NGINX = """\
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
worker_rlimit_nofile 65536;
events {{ worker_connections 32768; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    open_file_cache max=10;
    open_file_cache_valid 1h;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address}:{port} backlog={backlog};
        root {folder};
        location = /plaintext {{ default_type text/plain; return 200 'Hello, World!'; }}
        location = /json {{ return 200 '{{"message":"Hello, World!"}}'; }}
        location = /items {{ try_files /items-$arg_limit =404; }}
        location = /served {{ stub_status; }}
        location / {{ return 404; }}
    }}
}}
"""


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    cpus: frozenset[int] | None = None,
    nginx: str | None = shutil.which("nginx"),
    closes_after: int = 0,
) -> Iterator[str]:
    """A null server on a free port, its files in `folder`, pinned to `cpus`; yields its URL.

    `closes_after` so many answers it closes each connection without a word; 0: never.
    """
    with held(1) as (port,), Processes() as processes:
        command = _own(port, closes_after)
        if nginx and not closes_after:
            command = _nginx(nginx, folder, port)
        process = processes.start(
            "null server",
            command,
            log=folder / "nullserver.log",
            cwd=ROOT,
            environment=environment.locust(folder),
            cpus=cpus,
            stop_signal=signal.SIGTERM,
        )
        wait_until(process, lambda: _listens(port), waiting_for="connection")
        yield f"http://{LOOPBACK}:{port}"


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
        return True
    return False


def _own(port: int, closes_after: int) -> list[str]:
    return [sys.executable, "-m", "loadtest.run.ceiling.nullserver", str(port), str(closes_after)]


def _nginx(nginx: str, folder: Path, port: int) -> list[str]:
    for limit in LIMITS:
        (folder / f"items-{limit}").write_bytes(page(limit))
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _NGINX.format(
            user="user root;" if os.geteuid() == 0 else "",
            folder=folder,
            address=LOOPBACK,
            port=port,
            backlog=_BACKLOG,
        )
    )
    return [nginx, "-p", str(folder), "-c", str(configuration), "-e", "stderr"]


def served(url: str) -> int:
    """How many requests the null server at `url` has answered."""
    counts: list[bytes] = re.findall(rb"\d+", urls.read(f"{url}/served", 10.0))
    return int(counts[3] if len(counts) > 1 else counts[0])


def page(limit: int) -> bytes:
    """The first page of `limit` items."""
    return json.dumps(catalogue.page(limit, 0), ensure_ascii=False).encode()


def answers() -> Mapping[bytes, bytes]:
    """The response by target."""
    bodies = {
        b"/plaintext": (b"text/plain", b"Hello, World!"),
        b"/json": (b"application/json", b'{"message":"Hello, World!"}'),
    }
    for limit in LIMITS:
        bodies[b"/items?limit=%d&offset=0" % limit] = (b"application/json", page(limit))
    head = b"HTTP/1.1 200 OK\r\nServer: null\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
    return {target: head % (kind, len(body)) + body for target, (kind, body) in bodies.items()}


def serve(listener: socket.socket, closes_after: int = 0) -> None:
    """Answer every request on `listener` for ever; requests have no body."""
    known, unknown = answers(), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    poller, connections, unfinished = new_poller(), dict[int, socket.socket](), dict[int, bytes]()
    count, left = 0, dict[int, int]()
    listener.setblocking(False)
    poller.register(listener.fileno(), READ)
    while True:
        for fd, _ in poller.poll(-1, 256):
            if fd == listener.fileno():
                _accept(listener, connections)
                for new in connections.keys() - unfinished.keys():
                    poller.register(new, READ)
                    unfinished[new], left[new] = b"", closes_after or -1
                continue
            try:
                data = unfinished[fd] + connections[fd].recv(65536)
                *requests, unfinished[fd] = data.split(b"\r\n\r\n")
                for request in requests:
                    count += 1
                    target = request.split(b" ", 2)[1]
                    said = _SERVED % count if target == b"/served" else known.get(target, unknown)
                    connections[fd].sendall(said)
                left[fd] -= len(requests)
            except (OSError, IndexError):
                data = b""
            if not data or left[fd] == 0:
                poller.unregister(fd)
                connections.pop(fd).close()
                del unfinished[fd]


def _accept(listener: socket.socket, connections: dict[int, socket.socket]) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connections[connection.fileno()] = connection


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        port, closes_after = (*map(int, sys.argv[1:]), 0)[:2]
        serve(socket.create_server((LOOPBACK, port), backlog=_BACKLOG), closes_after)
