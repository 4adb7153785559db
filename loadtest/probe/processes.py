"""What the operating system knows of a server on this machine: processes, threads, CPU, queue."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from loadtest.probe.record import Server
from loadtest.run.witnesses import connections, procfs
from loadtest.system.cpus import quota_cores
from loadtest.system.sockets import Address, is_here

_KERNEL = Path("/proc")
_SERVERS = re.compile(
    r"\b(gunicorn|uvicorn|hypercorn|granian|daphne|waitress|uwsgi|http\.server|flask|django|puma"
    r"|nginx|haproxy|envoy|caddy|traefik|tomcat)\b"
)
# What hands bytes on: behind it is the server, out of sight.
_FORWARDERS = re.compile(
    r"docker-proxy|rootlessport|ssh|sshd|kubectl|socat|slirp4netns|passt|pasta"
)
_PROXIES = frozenset({"nginx", "haproxy", "envoy", "caddy", "traefik"})
_ONE_CORE = re.compile(r"(python|pypy|node|ruby|gunicorn)[\d.]*")
_FREE_THREADED = re.compile(r"python[\d.]*t")


def usable_cores() -> int:
    """Cores that programs here may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, round(quota_cores() or 1e9)))


def on_one_core(program: str) -> bool:
    """Whether a program of this name computes on one core at a time."""
    return _ONE_CORE.fullmatch(program) is not None


def free_threaded(program: str) -> bool:
    """Whether it is a Python without a GIL: `python3.13t` (PEP 703)."""
    return _FREE_THREADED.fullmatch(program) is not None


class Serving:
    """The processes that take connections on one port: those that have no other one below them."""

    def __init__(self, port: int, pids: Sequence[int]) -> None:
        self.port = port
        self.pids = tuple(pids)

    def facts(self) -> Server | None:
        """What they are; None where they are gone, or only hand on to others."""
        with contextlib.suppress(OSError, psutil.Error, ValueError):
            first = psutil.Process(self.pids[0])
            words = " ".join(first.cmdline())
            name = (_KERNEL / str(first.pid) / "exe").readlink().name
            if _FORWARDERS.fullmatch(name) or _FORWARDERS.fullmatch(first.name()):
                return None
            known = _SERVERS.search(words)
            program = known[1] if known else name
            return Server(
                program=program,
                processes=len(self.pids),
                threads=self.threads(),
                loop=_has_loop(first.pid),
                cores=min(usable_cores(), len(first.cpu_affinity() or [0])),
                one_core=on_one_core(name),
                passes_on=program in _PROXIES,
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
        """CPU seconds of each process so far, with all below it."""
        return tuple(sum(stat.cpu_s for stat in procfs.tree(pid).values()) for pid in self.pids)


def serving(address: Address) -> Serving | None:
    """Who takes connections at an address of this machine; None where that is out of sight."""
    _, (host, port) = address
    if sys.platform != "linux" or not is_here(host):
        return None
    known = connections.of(port)
    inodes = {str(each.inode) for each in known if each.state == connections.LISTENS}
    holders = {pid for pid in map(int, _numbers()) if inodes & set(_sockets(pid))}
    parents = {stat.parent for pid in holders if (stat := procfs.read(pid))}
    found = sorted(holders - parents)
    return Serving(port, found) if found else None


def unread(port: int) -> int | None:
    """Connections of the server whose request it has not read; None where they are out of sight.

    A connection that is not accepted yet belongs to no process: its inode is 0.
    """
    known = [each for each in connections.of(port) if each.state == connections.ESTABLISHED]
    if not known:
        return None
    return sum(each.inode == 0 or each.unread > 0 for each in known)


def _numbers() -> Iterator[str]:
    return (each.name for each in _KERNEL.iterdir() if each.name.isdigit())


def _sockets(pid: int) -> Iterator[str]:
    """Inodes of the sockets that a process has; none where it can't be looked into."""
    return (link[8:-1] for link in _links(pid) if link.startswith("socket:["))


def _has_loop(pid: int) -> bool:
    """Whether it watches its connections with epoll."""
    return any(link == "anon_inode:[eventpoll]" for link in _links(pid))


def _links(pid: int) -> Iterator[str]:
    folder = _KERNEL / str(pid) / "fd"
    with contextlib.suppress(OSError):
        for each in folder.iterdir():
            with contextlib.suppress(OSError):
                yield str(each.readlink())


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
