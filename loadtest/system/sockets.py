"""The operating system's own sockets and poller, also in a process that gevent has patched."""

from __future__ import annotations

import errno
import importlib
import os
import socket as _names
import sys
from typing import Any, Protocol

import psutil

READ, WRITE = 1, 4  # the values of EPOLLIN and EPOLLOUT
Address = tuple[int, tuple[str, int]]
_PROBE_S = 0.5

_ERROR_NAMES = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EADDRNOTAVAIL: "no free local port",
    errno.EMFILE: "too few file descriptors",
    errno.ENFILE: "too few file descriptors",
}


class NamedError(OSError):
    """What went wrong with a connection, under the name to count it by."""


class Poller(Protocol):
    """The part of `select.epoll` that the engine uses; level-triggered."""

    def register(self, fd: int, eventmask: int, /) -> None: ...
    def modify(self, fd: int, eventmask: int, /) -> None: ...
    def unregister(self, fd: int, /) -> None: ...
    def poll(self, timeout: float, maxevents: int, /) -> list[tuple[int, int]]: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


def original(module: str, name: str) -> Any:
    """`module.name` as Python has it, whether gevent has replaced (or removed) it or not."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None:
        return monkey.get_original(module, name)
    return getattr(importlib.import_module(module), name)


def new_poller() -> Poller:
    """An epoll object, or what `selectors` has in its place (kqueue on macOS)."""
    try:
        poller: Poller = original("select", "epoll")()
    except AttributeError:
        return SelectorPoller()
    return poller


def new_socket(family: int) -> Any:
    """A non-blocking TCP socket that sends at once."""
    created = original("socket", "socket")(family, _names.SOCK_STREAM)
    created.setblocking(False)
    created.setsockopt(_names.IPPROTO_TCP, _names.TCP_NODELAY, 1)
    return created


class SelectorPoller:
    """A `Poller` on top of `selectors`."""

    def __init__(self) -> None:
        self._selector = original("selectors", "DefaultSelector")()

    def register(self, fd: int, eventmask: int, /) -> None:
        self._selector.register(fd, _to_selector(eventmask))

    def modify(self, fd: int, eventmask: int, /) -> None:
        self._selector.modify(fd, _to_selector(eventmask))

    def unregister(self, fd: int, /) -> None:
        self._selector.unregister(fd)

    def poll(self, timeout: float, maxevents: int, /) -> list[tuple[int, int]]:
        ready = self._selector.select(timeout)
        return [(key.fd, _from_selector(mask)) for key, mask in ready[:maxevents]]

    def fileno(self) -> int:
        return int(self._selector.fileno())

    def close(self) -> None:
        self._selector.close()


def _to_selector(mask: int) -> int:
    return (1 if mask & READ else 0) | (2 if mask & WRITE else 0)


def _from_selector(mask: int) -> int:
    return (READ if mask & 1 else 0) | (WRITE if mask & 2 else 0)


def resolve(host: str, port: int) -> Address | None:
    """The first address of `host` that takes a connection, else its first; None where it has none.

    `localhost` is often ::1 first, where a server of 127.0.0.1 does not listen.
    """
    try:
        found = _names.getaddrinfo(host, port, type=_names.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    addresses = list(
        dict.fromkeys((int(family), (str(at[0]), int(at[1]))) for family, *_, at in found)
    )
    if len(addresses) == 1:
        return addresses[0]
    return next(filter(_takes_connections, addresses), addresses[0])


def is_here(host: str) -> bool:
    """Whether an IP address is one of this machine."""
    plain = host.partition("%")[0]
    own = {
        each.address.partition("%")[0]
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family in (_names.AF_INET, _names.AF_INET6)
    }
    return plain in own or (":" not in plain and plain.startswith("127."))


def _takes_connections(address: Address) -> bool:
    try:
        with _names.socket(address[0], _names.SOCK_STREAM) as asking:
            asking.settimeout(_PROBE_S)
            return asking.connect_ex(address[1]) == 0
    except OSError:  # a family that this machine does not have
        return False


def error_name(code: int | None) -> str:
    """What an error number of a connection is called in the counts."""
    return _ERROR_NAMES.get(code or 0) or f"socket error {os.strerror(code or 0).lower()}"


def name_of(error: OSError) -> str:
    """What an error of a connection is called in the counts."""
    return str(error) if isinstance(error, NamedError) else error_name(error.errno)
