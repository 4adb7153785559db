"""TCP ports on the loopback: is one free, find one that is."""

from __future__ import annotations

import itertools
import os
import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
_LOWEST = 12000  # above what programs commonly listen on
_CONNECTIONS = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOAD_METRICS = 9646  # where Locust answers Prometheus; LAB_LOAD_METRICS_PORT changes it
PROMETHEUS_VARIABLE = "LAB_PROMETHEUS"  # its URL; empty where there is none


class PortError(Exception):
    """A port is taken; the message says which, who wanted it and which variable changes it."""


def free(count: int) -> list[int]:
    """`count` different ports that nothing listens on now.

    They lie below those which the kernel gives to outgoing connections, so that no connection takes
    one before its owner listens.
    """
    candidates = range(_LOWEST, _first_of_connections())
    # Of the system's randomness, so that programs with one seed do not choose alike.
    mixed = random.SystemRandom().sample(candidates, len(candidates))
    found = list(itertools.islice(filter(_is_free, mixed), count))
    if len(found) < count:
        raise PortError(f"of ports {_LOWEST} to {candidates.stop - 1} fewer than {count} are free")
    return found


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


def require(port: int, owner: str, variable: str) -> None:
    """Raise PortError when something listens on `port` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise PortError(
                f"port {port}, which {owner} needs, is in use; "
                f"stop what listens there, or choose another with {variable}=…"
            ) from None
