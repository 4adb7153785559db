"""A name with several addresses leads to the one where somebody listens."""

from __future__ import annotations

import socket

import pytest

from loadtest.system.sockets import resolve


def addresses(port: int, *hosts: str) -> list[tuple[object, ...]]:
    """What getaddrinfo gives for a name with these addresses, in this order."""
    return [found for host in hosts for found in socket.getaddrinfo(host, port, type=1)]


@pytest.mark.parametrize("hosts", [("::1", "127.0.0.1"), ("127.0.0.1", "::1"), ("127.0.0.1",)])
def test_a_server_is_found_wherever_it_stands_among_them(
    monkeypatch: pytest.MonkeyPatch, hosts: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = addresses(port, *hosts)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert resolve("localhost", port) == (socket.AF_INET, ("127.0.0.1", port))


def test_where_nobody_listens_it_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    found = addresses(9, "::1", "127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert resolve("localhost", 9) == (socket.AF_INET6, ("::1", 9))


def test_a_name_without_an_address_is_none() -> None:
    assert resolve("nobody.invalid", 80) is None
