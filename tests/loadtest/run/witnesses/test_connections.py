"""Connections as the kernel tells them, in both ways that it tells."""

from __future__ import annotations

import os
import select
import socket
from contextlib import ExitStack

import pytest

from loadtest.run.witnesses import connections
from loadtest.run.witnesses.connections import ESTABLISHED, LISTENS, Known
from loadtest.system import ports
from loadtest.system.sockets import Address

EVERY = ("0.0.0.0", "::")  # address of the machine


@pytest.fixture(params=["sock_diag", "/proc"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError

    if request.param == "/proc":
        monkeypatch.setattr(connections, "_asked", refused)


def at(host: str, port: int) -> Address:
    return int(socket.AF_INET6 if ":" in host else socket.AF_INET), (host, port)


def established(address: Address) -> list[Known]:
    return [each for each in connections.of(address) if each.state == ESTABLISHED]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_what_is_unread_and_what_is_not_accepted_is_told(family: int, host: str) -> None:
    [port] = ports.free(1)  # one of the kernel's may be somebody's in the other family
    address = at(host, port)
    with socket.create_server((host, port), family=family) as listener:
        assert [each.state for each in connections.of(address)] == [LISTENS]
        with socket.create_connection((host, port)) as client:
            client.sendall(b"hello")
            [waiting] = established(address)
            assert (waiting.inode, waiting.unread) == (0, 5)
            served, _ = listener.accept()
            with served:
                served.recv(5)
                [taken] = established(address)
                assert (taken.inode != 0, taken.unread) == (True, 0)
    assert LISTENS not in [each.state for each in connections.of(address)]


def listening(host: str, port: int) -> socket.socket:
    """Beside others of the port; `::` takes connections of IPv4 as well."""
    family, address = at(host, port)
    return socket.create_server(
        address, family=family, reuse_port=True, dualstack_ipv6=host == "::"
    )


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("asked", "others", "taker"),
    [
        ("127.0.0.1", ["127.0.0.2", "::1"], "127.0.0.1"),
        ("::1", ["127.0.0.1"], "::1"),
        ("127.0.0.1", ["0.0.0.0", "::"], "127.0.0.1"),
        ("127.0.0.2", ["127.0.0.1", "::"], "0.0.0.0"),
        ("127.0.0.2", ["127.0.0.1"], "::"),
        ("::1", ["127.0.0.1", "0.0.0.0"], "::"),
    ],
)
def test_of_servers_on_one_port_the_one_that_is_asked_is_told(
    asked: str, others: list[str], taker: str
) -> None:
    """The kernel decides it: who becomes readable has the connection."""
    with ExitStack() as stack, ports.held(1) as (port,):
        by_host = {host: stack.enter_context(listening(host, port)) for host in (*others, taker)}
        if elsewhere := next((host for host in others if host not in EVERY), ""):
            stack.enter_context(socket.create_connection((elsewhere, port)))
            stack.enter_context(by_host[elsewhere].accept()[0])
        client = stack.enter_context(socket.create_connection((asked, port)))
        readable, _, _ = select.select(list(by_host.values()), [], [], 60)
        assert readable == [by_host[taker]]
        found = [each.inode for each in connections.of(at(asked, port)) if each.state == LISTENS]
        assert found == [os.fstat(by_host[taker].fileno()).st_ino]
        client.sendall(b"hello")
        assert [each.unread for each in established(at(asked, port))] == [5]
