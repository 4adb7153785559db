"""Whether a service has ended: only what is refused or closed without an answer tells so."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from loadtest.model.target import Target
from loadtest.probe import glance
from loadtest.probe.limits import Allowance
from loadtest.system import ports
from tests import lying_servers
from tests.lying_servers import Script, answering, once, over_tls


def gone(port: int, scheme: str = "http", within_s: float = 60.0) -> str:
    target = Target(f"{scheme}://127.0.0.1:{port}/slow", insecure=True)
    at = (int(socket.AF_INET), ("127.0.0.1", port))
    allowance = Allowance(seconds=60)
    why = glance.gone(target, at, allowance, within_s)
    assert allowance.sent <= 1  # it is asked once, whatever it says
    return why


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize(
    "script",
    [
        answering(lying_servers.OK),
        answering(lying_servers.OK.replace(b"200 OK", b"500 Gone")),
        answering(lying_servers.OK.replace(b"200 OK", b"503 Busy")),
        answering(b"SSH-2.0-OpenSSH_9.2\r\n"),
        once(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"),
        silent,
    ],
    ids=["right", "500", "503", "other", "cut off", "silent"],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_service_that_says_something_else_or_nothing_has_not_ended(
    script: Script, scheme: str
) -> None:
    with lying_servers.serving(over_tls(script) if scheme == "https" else script) as port:
        assert gone(port, scheme, within_s=0.6 if script is silent else 60.0) == ""


def test_a_service_that_takes_no_connection_in_time_has_not_ended() -> None:
    """Its backlog is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waits = stack.enter_context(socket.socket())
            waits.setblocking(False)
            waits.connect_ex(listener.getsockname())
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), 0.3)
        assert gone(listener.getsockname()[1], within_s=0.6) == ""


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_service_that_refuses_or_closes_has_ended(scheme: str) -> None:
    with ports.held(1) as (port,):
        assert "nothing listens" in gone(port, scheme)
    script = once(b"")
    with lying_servers.serving(over_tls(script) if scheme == "https" else script) as port:
        assert "closed without an answer" in gone(port, scheme)
    with lying_servers.serving(lambda _: None) as port:
        assert gone(port, scheme)
