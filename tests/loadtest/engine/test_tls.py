"""Services over TLS: loaded like any other, and every trouble named."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import pytest

from loadtest.engine.own_request import own_traffic
from loadtest.engine.tally import Tally
from loadtest.engine.tls import client_context
from loadtest.model.target import Target
from tests.driving import driven
from tests.lying_servers import (
    CERTIFICATES,
    OK,
    Script,
    answering,
    over_tls,
    read_request,
)


def asked(script: Script, target: Target, **options: object) -> Tally:
    """The tally of a window in which something was answered, or failed."""
    given: dict[str, object] = {"tls": client_context(insecure=True), "server_name": "localhost"}
    return driven(script, 0, **(given | {"traffic": own_traffic(target)} | options))


def trusting(certificate: str) -> ssl.SSLContext:
    context = client_context()
    context.load_verify_locations(CERTIFICATES / f"{certificate}.pem")
    return context


@pytest.mark.parametrize(
    ("certificate", "context", "name"),
    [
        ("here", lambda: trusting("here"), "localhost"),
        ("here", lambda: trusting("here"), "127.0.0.1"),
        ("expired", lambda: client_context(insecure=True), "elsewhere.example"),
    ],
)
def test_a_service_over_tls_is_loaded_like_any_other(
    certificate: str, context: Callable[[], ssl.SSLContext], name: str
) -> None:
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000)
    for script, least in ((answering(OK), 50), (answering(big), 3)):
        tally = driven(
            over_tls(script, certificate),
            least,
            traffic=own_traffic(Target("https://x/")),
            connections=3,
            tls=context(),
            server_name=name,
        )
        assert not tally.errors
        assert tally.answered > least
        assert tally.reconnects == 0


@pytest.mark.parametrize(
    ("certificate", "trusted", "error"),
    [
        ("here", "", "certificate: self"),
        ("elsewhere", "elsewhere", "certificate: hostname mismatch"),
        ("expired", "expired", "certificate: certificate has expired"),
    ],
)
def test_a_certificate_that_is_not_right_is_named(
    certificate: str, trusted: str, error: str
) -> None:
    context = trusting(trusted) if trusted else client_context()
    script = over_tls(answering(OK), certificate)
    tally = asked(script, Target("https://x/"), tls=context)
    (name,) = tally.errors
    assert name.startswith(error)


def silent(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.recv(65536)


def leaving(connection: socket.socket) -> None:
    connection.recv(65536)


def talking(connection: socket.socket) -> None:
    if connection.recv(65536):
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("script", "error"),
    [(talking, "TLS: "), (leaving, "connection closed"), (silent, "timeout")],
    ids=["plain HTTP", "a server that leaves", "a server that says nothing"],
)
def test_what_does_not_speak_tls_is_named(script: Script, error: str) -> None:
    tally = asked(script, Target("https://x/"), timeout_s=0.1 if script is silent else 30)
    assert tally.errors
    assert all(name.startswith(error) for name in tally.errors)


def test_a_body_larger_than_a_socket_takes_arrives_over_tls() -> None:
    """More than its buffers hold, at a server that reads slowly."""
    body, got = "x" * 6_000_000, []

    def script(connection: socket.socket) -> None:
        count = 0  # there is no x in the head
        while count < len(body) and (part := connection.recv(65_536)):
            count += part.count(b"x")
        got.append(count)
        connection.sendall(OK)
        connection.recv(1)

    post = Target("https://h/", "POST", body=body)
    tally = asked(over_tls(script), post, requests_per_connection=1)
    assert not tally.errors
    assert tally.answered
    assert len(body) in got
    assert max(got) == len(body)


@pytest.mark.parametrize("politely", [True, False], ids=["TLS closed", "cut off"])
def test_a_body_that_the_end_of_tls_ends_is_whole(*, politely: bool) -> None:
    def script(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
            if politely:
                assert isinstance(connection, ssl.SSLSocket)
                connection.unwrap()
                read_request(connection)  # it does not hang up by itself

    tally = asked(over_tls(script), Target("https://x/", content="until the end"))
    assert not tally.errors
    assert tally.answered
