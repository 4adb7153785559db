"""TCP ports on the loopback: is one free, find one that is."""

from __future__ import annotations

import contextlib
import os
import socket

LOOPBACK = "127.0.0.1"
LOAD_METRICS = 9646  # where Locust answers Prometheus; LAB_LOAD_METRICS_PORT changes it


class PortError(Exception):
    """A port is taken; the message says which, who wanted it and which variable changes it."""


def free(count: int) -> list[int]:
    """`count` different ports that nothing listens on now."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


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
