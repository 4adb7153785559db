"""What the kernel tells in /proc of processes and cores; elsewhere than on Linux, nothing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_KTHREADD = 2  # parent of the kernel's threads
_SERVANTS = ("ksoftirqd", "rcu", "migration", "irq/")  # for whoever runs


@dataclass(frozen=True)
class Stat:
    """One process now: `state` as `ps` shows it, `cpu_s` with that of children that ended."""

    pid: int
    name: str
    state: str
    parent: int
    cpu_s: float

    @property
    def serves(self) -> bool:
        """Whether it is a thread of the kernel whose work may be the lab's own."""
        return self.parent == _KTHREADD and self.name.startswith(_SERVANTS)


@dataclass(frozen=True)
class Core:
    """Seconds of one core since the machine started."""

    idle_s: float
    interrupts_s: float
    stolen_s: float


def read(pid: int) -> Stat | None:
    """A process; None where there is none, or it is over and only not yet collected."""
    try:
        return parse(pid, (_PROC / str(pid) / "stat").read_bytes())
    except OSError:
        return None


def parse(pid: int, line: bytes) -> Stat | None:
    """/proc/PID/stat has `pid (name) state parent …`; a name may hold blanks and brackets."""
    head, _, tail = line.rpartition(b")")
    fields = tail.split()
    if not fields or fields[0] in b"ZX":
        return None
    name = head.partition(b"(")[2].decode(errors="replace")
    cpu_s = sum(map(int, fields[11:15])) * _TICK_S
    return Stat(pid, name, fields[0].decode(), int(fields[1]), cpu_s)


def everything() -> dict[int, Stat]:
    """Every process that can be seen, by its id."""
    found: dict[int, Stat] = {}
    with contextlib.suppress(OSError):
        for folder in _PROC.iterdir():
            if folder.name.isdigit() and (stat := read(int(folder.name))):
                found[stat.pid] = stat
    return found


def all_in_sight() -> bool:
    """Whether every program of the machine can be seen: in a container, only its own can."""
    kernel = read(_KTHREADD)
    return kernel is not None and kernel.name == "kthreadd"


def below(roots: Collection[int], seen: Mapping[int, Stat]) -> dict[int, Stat]:
    """`roots` and all below them, of the processes that were seen at one moment."""
    children: dict[int, list[int]] = {}
    for stat in seen.values():
        children.setdefault(stat.parent, []).append(stat.pid)
    found: dict[int, Stat] = {}
    left = list(roots)
    while left:
        pid = left.pop()
        if pid in seen and pid not in found:
            found[pid] = seen[pid]
            left += children.get(pid, ())
    return found


def tree(root: int) -> dict[int, Stat]:
    """`root` and all below it, by id."""
    found: dict[int, Stat] = {}
    left = [root]
    while left:
        pid = left.pop()
        if pid not in found and (stat := read(pid)):
            found[pid] = stat
            left += _children(pid)
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def links(pid: int) -> Iterator[str]:
    """What each open file of a process is; nothing where it can't be looked into."""
    with contextlib.suppress(OSError):
        for each in (_PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(each.readlink())


def program(pid: int) -> str:
    """The name of the file that a process runs; empty where it can't be looked into."""
    with contextlib.suppress(OSError):
        return (_PROC / str(pid) / "exe").readlink().name
    return ""


def frozen(pid: int) -> bool | None:
    """Whether the control groups of the process are frozen; None if out of sight.

    Those of version 2 say so. Those in which the lab itself runs are not.
    """
    groups = _groups(str(pid))
    if groups and groups == _groups("self"):
        return False
    with contextlib.suppress(OSError, ValueError):
        for line in groups.splitlines():
            number, _, path = line.split(":", 2)
            if number == "0":
                events = (_CGROUPS / path.strip("/") / "cgroup.events").read_text()
                return "frozen 1" in events if "frozen" in events else None
    return None


def _groups(pid: str) -> str:
    try:
        return (_PROC / pid / "cgroup").read_text()
    except OSError:
        return ""


def cores() -> dict[int, Core]:
    """Every core that is in use, by its number."""
    try:
        lines = (_PROC / "stat").read_text().splitlines()
    except OSError:
        return {}
    return dict(_cores(lines))


def _cores(lines: list[str]) -> Iterator[tuple[int, Core]]:
    for line in lines:
        name, *fields = line.split()
        if name.startswith("cpu") and name != "cpu":
            _, _, _, idle, waiting, hard, soft, stolen, *_ = map(int, fields)
            yield (
                int(name[3:]),
                Core(
                    idle_s=(idle + waiting) * _TICK_S,
                    interrupts_s=(hard + soft) * _TICK_S,
                    stolen_s=stolen * _TICK_S,
                ),
            )


def begun() -> int | None:
    """Processes and threads that were begun since the machine started."""
    return _counter("stat", "processes")


def swapped_in() -> int | None:
    """Pages read back from swap since the machine started."""
    return _counter("vmstat", "pswpin")


def _counter(file: str, name: str) -> int | None:
    with contextlib.suppress(OSError):
        for line in (_PROC / file).read_text().splitlines():
            if line.startswith(f"{name} "):
                return int(line.split()[1])
    return None


def resent() -> int | None:
    """Packets of TCP so far that were lost and sent again, but for those that open a connection.

    A full queue of new connections drops these: that is the service's doing. Probes for a loss
    that was none are left out too: a busy core makes them.
    """
    try:
        found = _by_name("snmp") | _by_name("netstat")
        probes = found["TcpExt:TCPLossProbes"] - found["TcpExt:TCPLossProbeRecovery"]
        return found["Tcp:RetransSegs"] - found["TcpExt:TCPSynRetrans"] - probes
    except (OSError, ValueError, KeyError):
        return None


def _by_name(file: str) -> dict[str, int]:
    """/proc/net/snmp has two lines a protocol: the names, and below them the values."""
    lines = [line.split() for line in (_PROC / "net" / file).read_text().splitlines()]
    return {
        names[0] + name: int(value)
        for names, values in zip(lines[::2], lines[1::2], strict=True)
        for name, value in zip(names[1:], values[1:], strict=True)
    }


def pressure_s(resource: str) -> float | None:
    """Seconds in which something waited for `resource` (cpu, memory), as the kernel counts them."""
    try:
        line = (_PROC / "pressure" / resource).read_text().splitlines()[0]
        return int(line.rpartition("total=")[2]) / 1e6
    except (OSError, ValueError, IndexError):
        return None
