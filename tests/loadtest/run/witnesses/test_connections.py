"""Connections as the kernel tells them, in both ways that it tells."""

from __future__ import annotations

import socket

import pytest

from loadtest.run.witnesses import connections
from loadtest.run.witnesses.connections import ESTABLISHED, LISTENS
from loadtest.system import ports


@pytest.fixture(params=["sock_diag", "/proc"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError

    if request.param == "/proc":
        monkeypatch.setattr(connections, "_asked", refused)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_what_is_unread_and_what_is_not_accepted_is_told(family: int, host: str) -> None:
    [port] = ports.free(1)  # one of the kernel's may be somebody's in the other family
    with socket.create_server((host, port), family=family) as listener:
        assert [each.state for each in connections.of(port)] == [LISTENS]
        with socket.create_connection((host, port)) as client:
            client.sendall(b"hello")
            [waiting] = [each for each in connections.of(port) if each.state == ESTABLISHED]
            assert (waiting.inode, waiting.unread) == (0, 5)
            served, _ = listener.accept()
            with served:
                served.recv(5)
                [taken] = [each for each in connections.of(port) if each.state == ESTABLISHED]
                assert (taken.inode != 0, taken.unread) == (True, 0)
    assert LISTENS not in [each.state for each in connections.of(port)]
