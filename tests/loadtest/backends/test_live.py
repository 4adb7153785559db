"""The live lab before it starts anything."""

from __future__ import annotations

import socket
from typing import cast

import pytest

from loadtest.backends import live
from loadtest.backends.native import Lab
from loadtest.system import ports


def test_a_port_where_another_load_answers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its Prometheus would show the other load's figures for this one's."""
    with ports.held(1) as [ui], socket.create_server((ports.LOOPBACK, 0)) as other:
        taken = other.getsockname()[1]
        monkeypatch.setenv("LOCUST_PORT", str(ui))
        monkeypatch.setenv("LAB_LOAD_METRICS_PORT", str(taken))
        nothing = cast(Lab, None)
        with (
            pytest.raises(ports.PortError, match=f"port {taken}.*LAB_LOAD_METRICS_PORT="),
            live.up(nothing),
        ):
            pass
