"""Memory of the generator for each connection that it holds: `python -m benchmarks.connections`.

Each connection has one request in hand that is never answered.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.tools import bare, locust
from loadtest.system import descriptors
from loadtest.system.paths import LOCUSTFILE
from loadtest.system.ports import LOOPBACK, held
from loadtest.system.processes import Process, Processes, wait_until

ROOT = Path(__file__).parent.parent
FEW = 100
Command = Callable[[Path, str, int, float], list[str]]


@dataclass(frozen=True)
class Held:
    """A generator with so many connections open. Times in seconds, memory in bytes."""

    opened_s: float
    cpu: float
    memory: int


def hold(port: int) -> None:
    """Accept every connection and answer nothing, for ever."""
    kept = []
    with socket.create_server((LOOPBACK, port), backlog=4096) as listener:
        while True:
            kept.append(listener.accept())


def inside(folder: Path, _: str, connections: int, seconds: float) -> list[str]:
    """Locust with so many users."""
    result = f"--lab-result={folder / 'result.json'}"
    options = ("--scenario=json", "--load=held", f"--lab-duration={seconds}", result)
    return locust(LOCUSTFILE, connections, *options, "holder")


def measure(command: Command, connections: int) -> Held:
    """Start the generator, wait until every connection is open, look at it for two seconds."""
    with tempfile.TemporaryDirectory() as name, held(1) as (port,), Processes() as processes:
        url = f"http://{LOOPBACK}:{port}"
        holder = [sys.executable, "-c", f"from benchmarks import connections as c; c.hold({port})"]
        log = Path(name) / "holder.log"
        processes.start("holder", holder, log=log, cwd=ROOT, environment=os.environ)
        begun = time.monotonic()
        process = processes.start(
            "generator",
            command(Path(name), url, connections, 3600),
            log=Path(name) / "log",
            cwd=ROOT,
            environment={**os.environ, "LAB_TARGET": f"holder={url}"},
        )
        seen = psutil.Process(process.pid)
        wait_until(
            process,
            lambda: _sockets(process, connections),
            timeout_s=120,
            waiting_for=f"{connections} connections",
        )
        opened_s = time.monotonic() - begun
        time.sleep(1)
        seen.cpu_percent()
        time.sleep(2)
        found = Held(opened_s, seen.cpu_percent() / 100, seen.memory_full_info().pss)
        process.popen.kill()
    return found


def _sockets(process: Process, connections: int) -> bool:
    return psutil.Process(process.pid).num_fds() >= connections


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    many = parser.parse_args().connections
    descriptors.require(many)
    table = Table("generator", "connections", "all open after", "CPU while held", "KiB/connection")
    for called, command in (("engine, bare", bare), ("engine in Locust", inside)):
        few, most = (measure(command, connections) for connections in (FEW, many))
        kib = (most.memory - few.memory) / (many - FEW) / 1024
        row = (f"{many:,}", f"{most.opened_s:.1f} s", f"{most.cpu:.0%}", f"{kib:.1f}")
        table.add_row(called, *row)
    Console().print(table)


if __name__ == "__main__":
    main()
