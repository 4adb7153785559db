"""Ports that are free, and a clear word about those that are not."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from loadtest.system import ports

pytestmark = pytest.mark.timed


def test_free_ports_differ_and_can_be_bound() -> None:
    found = ports.free(20)
    assert len(set(found)) == 20
    for port in found:
        ports.require(port, "test", "PORT")


def test_no_outgoing_connection_is_given_a_free_port(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "range").write_text("15000\t60999\n")
    monkeypatch.setattr(ports, "_CONNECTIONS", tmp_path / "range")
    assert max(ports.free(50)) < 15000


def test_more_ports_than_there_are_is_told() -> None:
    with pytest.raises(ports.PortError, match="fewer than 100000 are free"):
        ports.free(100_000)


def test_a_port_in_use_names_port_owner_and_variable() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(ports.PortError, match=rf"port {port}, which row go needs.*GO_PORT="):
            ports.require(port, "row go", "GO_PORT")


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1"])
def test_a_variable_that_is_no_port_is_told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOME_PORT", text)
    with pytest.raises(ports.PortError, match=f"SOME_PORT='{text}' is no port"):
        ports.from_environment("SOME_PORT", 80)


def test_an_empty_variable_gives_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PORT", "")
    assert ports.from_environment("SOME_PORT", 80) == 80
