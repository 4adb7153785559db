"""What the kernel knows of one address: its TCP connections, and who takes them.

sock_diag(7), /proc/net/tcp, and the open files of processes.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from loadtest.run.witnesses import procfs
from loadtest.system.sockets import Address, is_here

ESTABLISHED, LISTENS = 1, 10  # states of linux/tcp_states.h
_NETLINK_SOCK_DIAG, _BY_FAMILY, _DUMP, _DONE, _FAILED = 4, 20, 0x301, 3, 2
_HEADER = struct.Struct("=IHHII")
_WANTED_SOCKETS = struct.Struct("=BBBxI48x")
# Family, state, own port …, own address …, expiry, to read, to send, user, inode.
_TOLD = struct.Struct("=BBxx2s2x16s28xIIIII")
_ANSWER_BYTES, _PATIENCE_S = 65_536, 1.0
_MAPPED = bytes(10) + b"\xff\xff"  # before an IPv4 address that a socket of IPv6 serves (RFC 4291)
_ANY, _ANY_V6 = bytes(4), bytes(16)
# Number, own address, other address, state, bytes to send and to read …, inode.
_PROC_LINE = (
    rb"^ *\d+: ([0-9A-F]+):%04X [0-9A-F:]+ ([0-9A-F]{2}) [0-9A-F]+:([0-9A-F]+)"
    rb" \S+ \S+ +\d+ +\d+ (\d+)"
)
# What hands bytes on: behind it is the server, out of sight.
_FORWARDERS = re.compile(
    r"docker-proxy|rootlessport|ssh|sshd|kubectl|socat|slirp4netns|passt|pasta"
)
# These hand requests on, and answer some by themselves.
PROXIES = frozenset({"nginx", "haproxy", "envoy", "caddy", "traefik"})


class Known(NamedTuple):
    """One socket: its state, bytes that nobody has read, and its inode; 0 if it is nobody's yet.

    `own`: the address on its side, of 4 bytes or 16; of 4 for IPv4, whatever family serves it.
    """

    state: int
    unread: int
    inode: int
    own: bytes


def of(address: Address) -> list[Known]:
    """What takes connections at an address of this machine, and those to it; nothing elsewhere."""
    family, (host, port) = address
    own = _plain(socket.inet_pton(family, host.partition("%")[0]))
    found = _at(port)
    listening = [each for each in found if each.state == LISTENS]
    return [
        *_nearest(own, listening),
        *(each for each in found if each.state != LISTENS and each.own == own),
    ]


def _nearest(own: bytes, listening: Sequence[Known]) -> list[Known]:
    """Those that get a connection: of the address itself, else of any address."""
    others = (_ANY, _ANY_V6) if len(own) == len(_ANY) else (_ANY_V6,)
    ranks = ([each for each in listening if each.own == place] for place in (own, *others))
    return next(filter(None, ranks), [])


def _at(port: int) -> list[Known]:
    """Every socket of a port, whatever its address.

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
    _, (host, _) = address
    if sys.platform != "linux" or not is_here(host):
        return ()
    listening = {f"socket:[{each.inode}]" for each in of(address) if each.state == LISTENS}
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
                version, state, at, own, _, unread, _, _, inode = _TOLD.unpack_from(body)
                if at == wanted:
                    own = own[: len(_ANY)] if version == socket.AF_INET else _plain(own)
                    yield Known(state, unread, inode, own)


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
            for own, state, unread, inode in line.findall(Path("/proc/net", name).read_bytes()):
                yield Known(int(state, 16), int(unread, 16), int(inode), _address(own))


def _address(digits: bytes) -> bytes:
    """The kernel writes each four bytes of an address as one number of this machine's order."""
    words = (int(digits[place : place + 8], 16) for place in range(0, len(digits), 8))
    return _plain(b"".join(struct.pack("=I", word) for word in words))


def _plain(address: bytes) -> bytes:
    """An IPv4 address in four bytes, also where a socket of IPv6 has it."""
    return address.removeprefix(_MAPPED)
