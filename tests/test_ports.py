"""Ports that are free, and a clear word about those that are not."""

from __future__ import annotations

import socket

import pytest

from loadtest import ports


def test_free_ports_differ_and_can_be_bound() -> None:
    found = ports.free(20)
    assert len(set(found)) == 20
    for port in found:
        ports.require(port, "test", "PORT")


def test_a_port_in_use_names_port_owner_and_variable() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(ports.PortError, match=rf"port {port}, which row go needs.*GO_PORT="):
            ports.require(port, "row go", "GO_PORT")
