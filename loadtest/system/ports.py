"""TCP ports on the loopback: find free ones, hold them for their owners, say which are taken."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from loadtest.errors import LabError

LOOPBACK = "127.0.0.1"
_LOWEST = 12000  # above what programs commonly listen on
_CONNECTIONS = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOAD_METRICS = 9646  # where Locust answers Prometheus; LAB_LOAD_METRICS_PORT changes it
PROMETHEUS_VARIABLE = "LAB_PROMETHEUS"  # its URL; empty where there is none
# Ports that `free` gave to this process, each with the descriptor that keeps other processes off.
_kept: dict[int, int] = {}


class PortError(LabError):
    """A port is taken; the message says which, who wanted it and which variable changes it."""


def free(count: int) -> list[int]:
    """`count` different ports that nothing listens on; no other process is given them meanwhile.

    They are reserved until `release`, or until this process ends. Meanwhile their owners may start
    late, stop and start again. They lie below the kernel's range for outgoing connections, so no
    connection takes one.
    """
    candidates = _candidates()
    found: list[int] = []
    if count <= len(candidates):
        found = list(itertools.islice(filter(_take, _from_anywhere(candidates)), count))
    if len(found) < count:
        release(*found)
        last = candidates.stop - 1
        raise PortError(f"of ports {_LOWEST} to {last} fewer than {count} are free")
    return found


def release(*given: int) -> None:
    """Give up ports of `free`: another process may have them now."""
    for port in given:
        os.close(_kept.pop(port))


@contextlib.contextmanager
def held(count: int) -> Iterator[list[int]]:
    """`count` free ports that are this process's own until the block ends."""
    found = free(count)
    try:
        yield found
    finally:
        release(*found)


def _candidates() -> range:
    return range(_LOWEST, _first_of_connections())


def _from_anywhere(candidates: range) -> Iterator[int]:
    """All of them, from one on that the system's randomness chooses: seeds have no part in it."""
    start = random.SystemRandom().randrange(len(candidates))
    return itertools.chain(candidates[start:], candidates[:start])


def _take(port: int) -> bool:
    """Hold `port`, if nobody holds it and nothing listens there."""
    name = _name("port", port)
    if name is None:
        return False
    if _claimed(port) or not _is_free(port):
        name.close()
        return False
    _kept[port] = name.detach()
    return True


def _name(kind: str, port: int) -> socket.socket | None:
    """A name that one process can have at a time; None where another has it.

    It is an abstract socket of Linux. Like a port it belongs to the network namespace, and every
    user sees it. It goes with its process, however that ends. Elsewhere nothing is held.
    """
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        if sys.platform == "linux":
            name.bind(_address(kind, port))
    except OSError:
        name.close()
        return None
    return name


def _address(kind: str, port: int) -> str:
    return f"\0concurrency-lab/{kind}/{port}"


def _claimed(port: int) -> bool:
    """Whether a lab that was told to use `port` is about to listen there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        return sys.platform == "linux" and asking.connect_ex(_address("claim", port)) == 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _first_of_connections() -> int:
    """Where the kernel's range for outgoing connections begins (default of Linux: 32768)."""
    try:
        first = int(_CONNECTIONS.read_text().split()[0])
    except (OSError, ValueError):
        first = 32768
    # Where it leaves no room below, a port of it must do.
    return first if first - _LOWEST >= 1000 else 32768


def from_environment(variable: str, default: int) -> int:
    """The port that `variable` names, else `default`; raises PortError where it is no port."""
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise PortError(f"{variable}={text!r} is no port; give a number from 1 to 65535")
    return int(text)


@contextlib.contextmanager
def claim(port: int, owner: str, variable: str) -> Iterator[None]:
    """Keep `port`, which the user or the lab has named, for `owner` until the block ends.

    Raises PortError where something listens on it, or another lab has claimed it and is starting.
    """
    name = _name("claim", port)
    if name is None:
        raise _taken(port, owner, variable)
    with name:
        require(port, owner, variable)
        yield


def require(port: int, owner: str, variable: str) -> None:
    """Raise PortError when something listens on `port` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise _taken(port, owner, variable) from None


def _taken(port: int, owner: str, variable: str) -> PortError:
    return PortError(
        f"port {port}, which {owner} needs, is in use; "
        f"stop what listens there, or choose another with {variable}=…"
    )
