"""What the kernel knows of one port: its TCP connections, and who takes them.

sock_diag(7), /proc/net/tcp, and the open files of processes.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from loadtest.run.witnesses import procfs
from loadtest.system.sockets import Address, is_here

ESTABLISHED, LISTENS = 1, 10  # states of linux/tcp_states.h
_NETLINK_SOCK_DIAG, _BY_FAMILY, _DUMP, _DONE, _FAILED = 4, 20, 0x301, 3, 2
_HEADER = struct.Struct("=IHHII")
_WANTED_SOCKETS = struct.Struct("=BBBxI48x")
_TOLD = struct.Struct("=xBxx2s46xIIIII")  # state, own port …, expiry, to read, to send, user, inode
_ANSWER_BYTES, _PATIENCE_S = 65_536, 1.0
# Number, own address, other address, state, bytes to send and to read …, inode.
_PROC_LINE = (
    rb"^ *\d+: [0-9A-F]+:%04X [0-9A-F:]+ ([0-9A-F]{2}) [0-9A-F]+:([0-9A-F]+)"
    rb" \S+ \S+ +\d+ +\d+ (\d+)"
)
# What hands bytes on: behind it is the server, out of sight.
_FORWARDERS = re.compile(
    r"docker-proxy|rootlessport|ssh|sshd|kubectl|socat|slirp4netns|passt|pasta"
)
# These hand requests on, and answer some by themselves.
PROXIES = frozenset({"nginx", "haproxy", "envoy", "caddy", "traefik"})


class Known(NamedTuple):
    """One socket: its state, bytes that nobody has read, and its inode; 0 if it is nobody's yet."""

    state: int
    unread: int
    inode: int


def of(port: int) -> list[Known]:
    """What listens on `port` of this machine, and who is connected to it; nothing elsewhere.

    A machine may have thousands of other sockets. sock_diag leaves out those that are closing,
    where /proc/net/tcp would write out each of them.
    """
    try:
        return [each for family in _families() for each in _asked(family, port)]
    except (OSError, AttributeError, struct.error):
        return list(_read(port))


def takers(address: Address) -> tuple[int, ...]:
    """Processes that take connections at an address of this machine: the lowest that listen there.

    Nothing where they are out of sight, as on another machine.
    """
    _, (host, port) = address
    if sys.platform != "linux" or not is_here(host):
        return ()
    listening = {f"socket:[{each.inode}]" for each in of(port) if each.state == LISTENS}
    seen = procfs.everything() if listening else {}
    holders = {pid for pid in seen if listening & set(procfs.links(pid))}
    return tuple(sorted(holders - {seen[pid].parent for pid in holders}))


def forwards(pid: int) -> bool:
    """Whether a process only hands bytes on, as those of Docker and ssh do."""
    stat = procfs.read(pid)
    names = (procfs.program(pid), stat.name if stat else "")
    return any(_FORWARDERS.fullmatch(each) for each in names)


def hands_requests_on(pid: int) -> bool:
    """Whether a process is a proxy: what answers most of its requests is out of sight."""
    return procfs.program(pid) in PROXIES


def _families() -> tuple[int, ...]:
    return (socket.AF_INET, socket.AF_INET6)


def _asked(family: int, port: int) -> Iterator[Known]:
    wanted = struct.pack("!H", port)
    states = 1 << ESTABLISHED | 1 << LISTENS
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(_PATIENCE_S)
        size = _HEADER.size + _WANTED_SOCKETS.size
        kernel.send(
            _HEADER.pack(size, _BY_FAMILY, _DUMP, 1, 0)
            + _WANTED_SOCKETS.pack(family, socket.IPPROTO_TCP, 0, states)
        )
        while True:
            for kind, body in _messages(kernel.recv(_ANSWER_BYTES)):
                if kind == _DONE:
                    return
                if kind == _FAILED:
                    raise OSError("sock_diag is not there")
                state, own, _, unread, _, _, inode = _TOLD.unpack_from(body)
                if own == wanted:
                    yield Known(state, unread, inode)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The type and body of each message of netlink; they begin at multiples of four bytes."""
    place = 0
    while place + _HEADER.size <= len(data):
        size, kind, *_ = _HEADER.unpack_from(data, place)
        if size < _HEADER.size:
            return
        yield kind, data[place + _HEADER.size : place + size]
        place += (size + 3) & ~3


def _read(port: int) -> Iterator[Known]:
    line = re.compile(_PROC_LINE % port, re.MULTILINE)
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for state, unread, inode in line.findall(Path("/proc/net", name).read_bytes()):
                yield Known(int(state, 16), int(unread, 16), int(inode))
