"""What the operating system knows about a server: CPU, memory, threads, connections that wait."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_LISTEN = "0A"
_CACHE_S = 0.5
_LISTS_CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children").exists()


@dataclass(frozen=True)
class Usage:
    """A process and its descendants together; `cpu_s` includes descendants that have ended."""

    cpu_s: float = 0.0
    pss: int = 0
    threads: int = 0
    processes: int = 0


class Tree:
    """The processes of one server, by the process that started it."""

    def __init__(self, root_pid: int) -> None:
        self._root_pid = root_pid
        self._cpu_s, self._pss, self._read_at = 0.0, 0, 0.0

    def usage(self) -> Usage:
        """What the tree uses now; its memory, which is dear to read, at most half a second ago."""
        family = _family(self._root_pid)
        if time.monotonic() - self._read_at >= _CACHE_S:
            self._pss, self._read_at = sum(map(_pss, family)), time.monotonic()
        cpu_s, threads, processes = 0.0, 0, 0
        for process in family:
            with suppress(psutil.Error):
                times, running = process.cpu_times(), process.num_threads()
                cpu_s += times.user + times.system + times.children_user + times.children_system
                threads, processes = threads + running, processes + 1
        # A worker that has ended but is not reaped yet is counted nowhere for a moment.
        self._cpu_s = max(cpu_s, self._cpu_s)
        return Usage(self._cpu_s, self._pss, threads, processes)

    def has(self, pid: int) -> bool:
        """Whether a process belongs to the tree and lives."""
        return any(process.pid == pid for process in _family(self._root_pid))


def accept_backlog(port: int) -> int | None:
    """Connections that wait for `accept` on `port`; None where the system does not say.

    For a listening socket Linux gives the length of its accept queue as `rx_queue`. Services
    listen on IPv4; without a socket to list, the table of IPv6 takes milliseconds to read.
    """
    table = Path("/proc/net/tcp")
    return sum(_queue_lengths(table, f":{port:04X}")) if table.exists() else None


def _queue_lengths(table: Path, suffix: str) -> Iterator[int]:
    with table.open(encoding="ascii") as lines:
        next(lines)
        for line in lines:
            _, local, _, state, queues, *_ = line.split()
            if state != _LISTEN:
                return  # Linux lists the listening first, and the others may be thousands
            if local.endswith(suffix):
                yield int(queues.partition(":")[2], 16)


def _family(root_pid: int) -> list[psutil.Process]:
    """A process and its descendants, as far as they still live."""
    found: list[psutil.Process] = []
    pids = [root_pid]
    for pid in pids:
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            found.append(psutil.Process(pid))
            pids += _children(pid)
    return found


def _children(pid: int) -> list[int]:
    if not _LISTS_CHILDREN:
        return [child.pid for child in psutil.Process(pid).children()]
    # A hundredth of the cost of asking every process of the machine for its parent.
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(word) for each in threads for word in (each / "children").read_text().split()]


def _pss(process: psutil.Process) -> int:
    """Proportional set size, which counts shared memory once; resident size where there is none."""
    try:
        memory = process.memory_full_info()
        return int(getattr(memory, "pss", 0) or memory.rss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
