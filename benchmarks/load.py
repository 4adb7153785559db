"""Every load generator on one pinned core against one null server, interleaved: `make bench-load`.

Requests are counted by the null server and CPU by the kernel, so no tool reports its own speed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.tools import Tool, installed
from loadtest.engine.stream import OPENING_INTERVAL_S
from loadtest.run.ceiling import nullserver
from loadtest.system import environment
from loadtest.system.processes import Processes

ROOT = Path(__file__).parent.parent
SETTLE_S = 0.5
STARTED = 500  # requests after which a tool counts as running
TOLERANCE = 0.05  # the kernel counts CPU time in hundredths of a second


@dataclass(frozen=True)
class Reading:
    """Requests and CPU seconds so far, and when: all three of the same moment."""

    at: float
    requests: int
    cpu_s: float


@dataclass(frozen=True)
class Figure:
    """One run of one tool."""

    rps: float
    cpu_us: float
    p99_ms: float

    @property
    def cores(self) -> float:
        """How many cores it must have had: requests a second × CPU time of each."""
        return self.rps * self.cpu_us / 1e6


class RefusedError(Exception):
    """There is no figure, or none that can be true; the message says why."""


def figure(before: Reading, after: Reading, p99_ms: float) -> Figure:
    """What happened between two readings; RefusedError where one core can't have done it."""
    requests, elapsed = after.requests - before.requests, after.at - before.at
    if requests <= 0 or elapsed <= 0:
        raise RefusedError(f"{requests:,} requests in {elapsed:.1f} s")
    found = Figure(requests / elapsed, 1e6 * (after.cpu_s - before.cpu_s) / requests, p99_ms)
    if found.cores > 1 + TOLERANCE:
        raise RefusedError(
            f"{found.rps:,.0f} requests/s at {found.cpu_us:.1f} µs of CPU each are "
            f"{found.cores:.1f} cores, and it had one"
        )
    return found


def measure(tool: Tool, url: str, connections: int, seconds: float, core: int) -> Figure:
    """Run `tool` and look at it from outside for `seconds`, once its connections are open."""
    settle_s = SETTLE_S + connections * OPENING_INTERVAL_S
    with tempfile.TemporaryDirectory() as name, Processes() as processes:
        folder = Path(name)
        process = processes.start(
            tool.name,
            tool.command(folder, url, connections, seconds + settle_s + 1.5),
            log=folder / "log",
            cwd=ROOT,
            environment={**os.environ, "LAB_TARGET": f"null-server={url}"},
            cpus=frozenset({core}),
        )
        so_far = nullserver.served(url)
        while nullserver.served(url) < so_far + STARTED:
            if process.popen.poll() is not None:
                last = process.tail(1) or "no message"
                raise RefusedError(f"it ended before it had made {STARTED} requests: {last}")
            time.sleep(0.02)
        time.sleep(settle_s)
        before = _read(url, process.pid)
        time.sleep(seconds)
        after = _read(url, process.pid)
        if process.popen.poll() is not None:
            raise RefusedError("it ended while it was watched")
        process.popen.wait(60)
        p99_ms = tool.p99_ms(folder, process.log.read_text())
    return figure(before, after, p99_ms)


def _read(url: str, pid: int) -> Reading:
    """The server may take long to answer: the time is that of its answer, not of the question."""
    requests = nullserver.served(url)
    return Reading(time.monotonic(), requests, _cpu_s(pid))


def _cpu_s(pid: int) -> float:
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def table(figures: dict[str, list[Figure]]) -> Table:
    """Medians over the rounds, and each tool's speed against wrk and FastHttpUser."""
    figures = {name: found for name, found in figures.items() if found}
    rps = {name: statistics.median(f.rps for f in found) for name, found in figures.items()}
    made = Table("tool", "req/s", "CPU µs/request", "p99 ms", "× wrk", "× k6", "× FastHttpUser")
    for name, found in figures.items():
        ratios = [
            f"{rps[name] / rps[other]:.2f}" if other in rps else "–"
            for other in ("wrk", "k6", "FastHttpUser")
        ]
        cpu_us = statistics.median(figure.cpu_us for figure in found)
        p99_ms = statistics.median(figure.p99_ms for figure in found)
        made.add_row(name, f"{rps[name]:,.0f}", f"{cpu_us:.1f}", f"{p99_ms:.2f}", *ratios)
    return made


def asked() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="watched in each run")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument(
        "--closes-after",
        type=int,
        default=0,
        help="the server closes each connection after so many answers, without a word",
    )
    parser.add_argument(
        "--tools", default="", help="only those whose name holds one of these, e.g. engine,wrk"
    )
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options = asked()
    first, *others = sorted(os.sched_getaffinity(0))
    core = others[0] if others else first
    wanted = options.tools.split(",")
    tools = [tool for tool in installed() if any(name in tool.name for name in wanted)]
    figures: dict[str, list[Figure]] = {tool.name: [] for tool in tools}
    refused: list[str] = []
    with (
        tempfile.TemporaryDirectory() as name,
        nullserver.running(
            Path(name), cpus=frozenset({first}), closes_after=options.closes_after
        ) as url,
    ):
        for _ in range(options.rounds):
            for tool in tools:
                try:
                    found = measure(tool, url, options.connections, options.seconds, core)
                    figures[tool.name].append(found)
                except RefusedError as why:
                    refused.append(f"refused, {tool.name}: {why}")
    title = f"{options.connections} connections, /json, one core, median of {options.rounds} rounds"
    if options.closes_after:
        title += f", connections closed after {options.closes_after} answers"
    Console().print(title, table(figures), *refused, sep="\n")


if __name__ == "__main__":
    environment.clean("benchmarks.load")
    main()
