"""Locust with its imports behind it: each load is a fork of it, and starts in a tenth of a second.

Importing Locust takes most of a second, a trial two to three. So one process imports it once and
is forked for each load. A fork ends with its connection to the lab.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from loadtest.system import environment, internals
from loadtest.system.adoption.orphans import adopt
from loadtest.system.guardian import send
from loadtest.system.processes import Process, Processes, wait_until
from loadtest.system.sockets import original

# What generator/users.py imports. It is not imported itself, for it registers with
# Locust's events and reads the environment of its load.
_IMPORTED = (
    "locust.main",
    "loadtest.generator.locust_stats",
    "loadtest.generator.shapes",
    "loadtest.generator.telemetry",
    "loadtest.generator.page.web",
)


@dataclass(frozen=True)
class Order:
    """One Locust: its arguments, its environment, where its output goes, and its cores."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: str
    cpus: Collection[int] | None = None


class Fork:
    """A Locust that runs, seen from the lab."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, order: Order) -> None:
        """Ask for it."""
        self._connection.sendall(json.dumps(asdict(order)).encode() + b"\n")
        self._connection.setblocking(False)

    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        try:
            said = self._connection.recv(16)
        except BlockingIOError:
            return None
        except ConnectionError:
            said = b""
        return int(said or 1)

    def kill(self) -> None:
        """End it with all that it has started; returns once it is gone."""
        self._connection.settimeout(10)
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            while self._connection.recv(16):
                pass
        self._connection.close()


class ForkServer:
    """Forks Locusts inside the `with` block, itself started when the first is asked for.

    `folder` is for files of the loads; it is gone after the block.
    """

    def __init__(self) -> None:
        self._processes = Processes()
        self._starting = threading.Lock()
        self._process: Process | None = None

    def __enter__(self) -> ForkServer:
        self._processes.__enter__()
        self.folder = self._processes.folder("lab-fork-")
        return self

    def __exit__(self, *error: object) -> None:
        self._processes.__exit__(*error)

    @property
    def pid(self) -> int | None:
        """Root of the tree of all loads; None before the first."""
        return self._process.pid if self._process else None

    def begin(self) -> None:
        """Start the server itself, and return at once; its imports go on beside."""
        with self._starting:
            self._process = self._process or self._launch(self._address)

    @contextlib.contextmanager
    def start(self, order: Order) -> Iterator[Fork]:
        """Fork a Locust; it is killed at the end of the block.

        Raises ProcessError where the server cannot be started.
        """
        fork = Fork(self._connected())
        fork.send(order)
        try:
            yield fork
        finally:
            fork.kill()

    def _connected(self) -> socket.socket:
        self.begin()
        assert self._process is not None
        connection = socket.socket(socket.AF_UNIX)
        wait_until(
            self._process,
            lambda: connection.connect_ex(str(self._address)) == 0,
            timeout_s=60,
            waiting_for="connection",
        )
        return connection

    @property
    def _address(self) -> Path:
        return self.folder / "socket"

    def _launch(self, address: Path) -> Process:
        return self._processes.start(
            "fork server",
            [sys.executable, "-m", "loadtest.run.forkserver", str(address)],
            log=address.with_name("forkserver.log"),
            cwd=self.folder,
            environment=environment.locust(self.folder),
        )


def serve(address: str) -> NoReturn:
    """Import Locust, then fork it for each order that comes to the socket at `address`."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    for name in _IMPORTED:
        importlib.import_module(name)
    internals.check("loadtest.run.forkserver")
    while True:
        # accept() would make a socket of gevent's, which has patched everything by now.
        descriptor, _ = listener._accept()  # type: ignore[attr-defined]
        connection = original("socket", "socket")(fileno=descriptor)
        if _fork() == 0:
            listener.close()
            _keep(connection)
        connection.close()


def _keep(connection: Any) -> NoReturn:
    """Wait for the load's end, or end it when the connection ends."""
    os.setpgid(0, 0)  # whoever kills the server's group leaves the keeper to do its work
    original("signal", "signal")(signal.SIGCHLD, signal.SIG_DFL)
    adopt()  # a load's workers when it ends before them, to await their end
    text = b""
    while not text.endswith(b"\n") and (more := connection.recv(65536)):
        text += more
    pid = _fork()
    if pid == 0:
        _become(Order(**json.loads(text)), connection)
    with contextlib.suppress(OSError):  # the fork does so too; whoever comes first
        os.setpgid(pid, pid)
    ended = os.pidfd_open(pid)
    ready, _, _ = original("select", "select")([ended, connection], [], [])
    if ended not in ready:
        send(os.killpg, pid, signal.SIGKILL)
    wait = original("os", "waitpid")
    code = os.waitstatus_to_exitcode(wait(pid, 0)[1])
    send(os.killpg, pid, signal.SIGKILL)  # its workers too
    with contextlib.suppress(ChildProcessError):
        while True:
            wait(-pid, 0)
    with contextlib.suppress(OSError):
        connection.sendall(b"%d" % code)
    os._exit(0)


def _become(order: Order, connection: Any) -> NoReturn:
    """Be the Locust of `order`."""
    code = 1
    try:
        os.setpgid(0, 0)
        connection.close()
        output = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        os.environ.clear()
        os.environ.update(order.environment)
        if order.cpus:
            os.sched_setaffinity(0, order.cpus)
        sys.argv = ["locust", *order.arguments]
        importlib.import_module("locust.main").main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _fork() -> int:
    pid: int = original("os", "fork")()
    return pid


if __name__ == "__main__":
    serve(sys.argv[1])
