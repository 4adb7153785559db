"""The look before the load: each trouble is one line that says what to do."""

from __future__ import annotations

import socket

import pytest

from loadtest.model.target import Target
from loadtest.probe import glance, probing
from loadtest.probe.limits import Allowance, ProbeError
from loadtest.probe.record import Glance
from loadtest.system import ports
from tests import lying_servers
from tests.loadtest.probe.small_servers import OK, in_turn, serving
from tests.lying_servers import answering, over_tls


def answer(status: str, *fields: str, body: str = "") -> bytes:
    head = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "Connection: close"]
    return ("\r\n".join([*head, "", ""]) + body).encode()


def looked(port: int, scheme: str = "http", **known: int) -> Glance:
    target = Target(f"{scheme}://127.0.0.1:{port}/slow", **known)  # type: ignore[arg-type]
    at = (int(socket.AF_INET), ("127.0.0.1", port))
    return glance.look(target, at, Allowance(seconds=6))


@pytest.mark.parametrize(
    ("status", "fields", "told"),
    [
        ("301 Moved", ["Location: /new/"], "sends you to /new/"),
        ("401 Unauthorized", [], "--header 'Authorization"),
        ("403 Forbidden", [], "--header"),
        ("404 Not Found", [], "check the path"),
        ("405 Method Not Allowed", ["Allow: POST"], "--method POST"),
        ("429 Too Many Requests", ["Retry-After: 30"], "wait for 30 s"),
        ("500 Internal Server Error", [], "its log says why"),
    ],
)
def test_an_answer_that_is_no_measure_is_refused_with_what_to_do(
    status: str, fields: list[str], told: str
) -> None:
    with serving(in_turn(answer(status, *fields))) as port, pytest.raises(ProbeError) as refused:
        looked(port)
    assert told in str(refused.value)
    assert f"--expect {status[:3]}" in str(refused.value)


def test_what_was_expected_is_measured_whatever_it_is() -> None:
    with serving(in_turn(answer("404 Not Found"))) as port:
        assert looked(port, status=404).status == 404


def test_a_service_that_starts_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "ASK_AGAIN_S", 0.01)
    starting = [answer("503 Service Unavailable")] * 4
    with serving(in_turn(*starting, OK)) as port:
        assert looked(port).status == 200


def test_bodies_that_differ_are_noticed() -> None:
    first, second = answer("200 OK", body="a"), answer("200 OK", body="b")
    with serving(in_turn(first, second)) as port:
        assert not looked(port).same
    with serving(in_turn(first)) as port:
        seen = looked(port)
    assert (seen.same, seen.kept, seen.size) == (True, False, 1)


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b""])
def test_what_speaks_no_http_is_told(said: bytes) -> None:
    with serving(in_turn(said)) as port, pytest.raises(ProbeError, match="is it https://"):
        looked(port)


def test_no_tls_where_it_is_asked_for_is_told() -> None:
    with serving(in_turn(OK)) as port, pytest.raises(ProbeError, match="is it http://"):
        looked(port, scheme="https")


@pytest.mark.parametrize("certificate", ["here", "elsewhere", "expired"])
def test_a_certificate_is_checked_unless_it_need_not_be(certificate: str) -> None:
    script = over_tls(answering(answer("200 OK")), certificate)
    with lying_servers.serving(script) as port:
        with pytest.raises(ProbeError, match=r"certificate: .+; --insecure asks all the same"):
            looked(port, scheme="https")
        assert looked(port, scheme="https", insecure=True).status == 200


def test_no_host_is_told() -> None:
    target = Target("http://nowhere.invalid/")
    with pytest.raises(ProbeError, match=r"there is no host nowhere\.invalid"):
        probing.probe(target, Allowance(seconds=6))


def test_nothing_that_listens_is_told() -> None:
    with ports.held(1) as (port,), pytest.raises(ProbeError, match="nothing listens"):
        looked(port)


def test_an_answer_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "timeout_s", 1.0)
    cut = answer("200 OK", body="x" * 10).replace(b": 10", b": 11")

    def endless() -> bytes:
        return cut

    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        import threading

        def accept() -> None:
            connection, _ = listener.accept()
            held.append(connection)
            connection.recv(65536)
            connection.sendall(endless())

        threading.Thread(target=accept, daemon=True).start()
        with pytest.raises(ProbeError, match="did not end"):
            looked(listener.getsockname()[1])
    for each in held:
        each.close()
