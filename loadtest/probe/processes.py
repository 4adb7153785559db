"""What the operating system knows of a server on this machine: processes, threads, CPU, queue."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from loadtest.model.target import Target
from loadtest.probe.record import Server
from loadtest.run.witnesses import connections, procfs
from loadtest.system import cpus
from loadtest.system.sockets import Address

_KERNEL = Path("/proc")
# As a program, a module or a title of a process: `waitress-serve`, `gunicorn:`.
_SERVERS = re.compile(
    r"(gunicorn|uvicorn|hypercorn|granian|daphne|waitress|uwsgi|http\.server|flask|django|puma"
    r"|nginx|haproxy|envoy|caddy|traefik)\d*(?:-serve|-admin)?:?"
)
_RUNS_SCRIPTS = re.compile(r"(python|pypy|node|ruby)[\d.]*t?")
_WITH_VALUE = ("-W", "-X")  # options of Python whose value is the next word
_ONE_CORE = re.compile(r"(python|pypy|node|ruby|gunicorn)[\d.]*")
_FREE_THREADED = re.compile(r"python[\d.]*t")


def known_server(words: Sequence[str]) -> str:
    """The server that a command line starts, if it is a known one; empty for any other program.

    A folder may have its name, too, and an argument.
    """
    names = (Path(each).name for each in _programs(words))
    return next((found[1] for each in names if (found := _SERVERS.fullmatch(each))), "")


def _programs(words: Sequence[str]) -> Iterator[str]:
    """The program of a command line, and what an interpreter runs: a script, or a module."""
    left = iter(words)
    program = next(left, "")
    yield program
    if _RUNS_SCRIPTS.fullmatch(Path(program).name):
        for word in left:
            if word in _WITH_VALUE:
                next(left, "")
            elif not word.startswith("-"):
                yield word
                return


def on_one_core(program: str) -> bool:
    """Whether a program of this name computes on one core at a time."""
    return _ONE_CORE.fullmatch(program) is not None


def free_threaded(program: str) -> bool:
    """Whether it is a Python without a GIL: `python3.13t` (PEP 703)."""
    return _FREE_THREADED.fullmatch(program) is not None


class Serving:
    """The processes that take connections at an address: those that have no other one below them.

    A server may end one and start another in its place. `cores`: where the first ones may run.
    """

    def __init__(self, address: Address, pids: Sequence[int]) -> None:
        self.address = address
        self.pids = tuple(pids)
        self.cores = frozenset[int]().union(*map(_cores, self.pids))
        self._most = len(self.pids)
        self._above = _parents(self.pids)
        self._ended = 0

    def look_anew(self) -> None:
        """Find who takes connections now, where it is no longer those that were known."""
        if self._are_all_there():
            return
        # What is above a process that took connections is its master, also while it has no other.
        found = [pid for pid in connections.takers(self.address) if pid not in self._above]
        self._ended += len(set(self.pids).difference(found))
        self.pids = tuple(found)
        self._most = max(self._most, len(found))
        self._above |= _parents(found)

    @property
    def ended(self) -> int:
        """How many processes took connections once and no longer do, as far as that was seen."""
        return self._ended + sum(procfs.read(pid) is None for pid in self.pids)

    def _are_all_there(self) -> bool:
        return len(self.pids) == self._most and all(map(procfs.read, self.pids))

    def facts(self) -> Server | None:
        """What they are; None where they are gone, or only hand on to others."""
        with contextlib.suppress(OSError, psutil.Error, ValueError):
            first = psutil.Process(self.pids[0])
            name = procfs.program(first.pid)
            if not name or connections.forwards(first.pid):
                return None
            return Server(
                program=known_server(first.cmdline()) or name,
                processes=len(self.pids),
                threads=self.threads(),
                loop=_has_loop(first.pid),
                cores=len(cpus.paid(self.cores)) or 1,
                one_core=on_one_core(name),
                passes_on=connections.hands_requests_on(first.pid),
                free_threaded=free_threaded(name),
            )
        return None

    def threads(self) -> int:
        """Threads of the process that has most."""
        return max((_threads(pid) for pid in self.pids), default=0)

    def ready(self) -> int:
        """How many of the processes compute now, or would if a core were free."""
        return sum(_has_work(pid) for pid in self.pids)

    def cpu_s(self) -> tuple[float, ...]:
        """CPU seconds of each process so far, with all below it; nothing where one is gone."""
        trees = [procfs.tree(pid) for pid in self.pids]
        if len(trees) < self._most or not all(trees):
            return ()
        return tuple(sum(stat.cpu_s for stat in tree.values()) for tree in trees)


class Probed(NamedTuple):
    """What is probed, where it is, and its processes where they are in sight."""

    target: Target
    address: Address
    serving: Serving | None


def serving(address: Address) -> Serving | None:
    """Who takes connections at an address of this machine; None where that is out of sight."""
    found = connections.takers(address)
    return Serving(address, found) if found else None


def watched_cores(serving: Serving | None) -> frozenset[int]:
    """Cores on which the load or the server may run: what others take of these counts.

    A quota gives time on any of them, so it leaves none out.
    """
    own = cpus.allowed() or frozenset(range(os.cpu_count() or 1))
    return own | serving.cores if serving else own


def unread(address: Address) -> int | None:
    """Connections of the server whose request it has not read; None where they are out of sight.

    A connection that is not accepted yet belongs to no process: its inode is 0.
    """
    known = [each for each in connections.of(address) if each.state == connections.ESTABLISHED]
    if not known:
        return None
    return sum(each.inode == 0 or each.unread > 0 for each in known)


def _cores(pid: int) -> frozenset[int]:
    with contextlib.suppress(OSError):
        return cpus.allowed(pid) or frozenset()
    return frozenset()


def _parents(pids: Collection[int]) -> set[int]:
    return {stat.parent for pid in pids if (stat := procfs.read(pid))}


def _has_loop(pid: int) -> bool:
    """Whether it watches its connections with epoll."""
    return any(link == "anon_inode:[eventpoll]" for link in procfs.links(pid))


def _has_work(pid: int) -> bool:
    """Whether a thread of the process is runnable: all that wait for anything else sleep."""
    with contextlib.suppress(OSError):
        for task in (_KERNEL / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                if (task / "stat").read_bytes().rpartition(b")")[2].split()[0] == b"R":
                    return True
    return False


def _threads(pid: int) -> int:
    with contextlib.suppress(OSError):
        return len(list((_KERNEL / str(pid) / "task").iterdir()))
    return 0
