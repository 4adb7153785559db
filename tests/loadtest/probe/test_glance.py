"""The look before the load: each trouble is one line that says what to do."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import threading
import time
from dataclasses import replace

import pytest

from loadtest.backends.asking import NoAnswer, ask
from loadtest.model.target import Target
from loadtest.probe import glance, probing, refusals
from loadtest.probe.limits import Allowance, ProbeError
from loadtest.probe.record import Glance
from loadtest.system import ports
from tests import lying_servers
from tests.loadtest.probe.small_servers import OK, in_turn, serving
from tests.lying_servers import answering, once, over_tls, read_request


def answer(status: str, *fields: str, body: str = "") -> bytes:
    head = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "Connection: close"]
    return ("\r\n".join([*head, "", ""]) + body).encode()


def of_tls(error: ssl.SSLError) -> ssl.SSLError:
    """As OpenSSL raises it, with a reason."""
    error.reason = "UNEXPECTED_EOF_WHILE_READING"
    return error


def looked(port: int, scheme: str = "http", **known: object) -> Glance:
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
        ("503 Service Unavailable", [], "probe it again when it is ready, as a probe waits 0 s"),
    ],
)
def test_an_answer_that_is_no_measure_is_refused_with_what_to_do(
    status: str, fields: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (glance, refusals):
        monkeypatch.setattr(module, "WARM_UP_S", 0.0)
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


@pytest.mark.parametrize(
    ("seconds", "answer_told", "ready_told"),
    [
        (20, "10 s; a longer --seconds waits longer", "ready, or with a longer --seconds"),
        (59, "29.5 s; a longer --seconds waits longer", "ready, or with a longer --seconds"),
        (60, "30 s; a probe waits no longer", "ready, as a probe waits 15 s at most"),
        (600, "30 s; a probe waits no longer", "ready, as a probe waits 15 s at most"),
    ],
)
def test_a_longer_probe_is_advised_only_where_it_waits_longer(
    seconds: float, answer_told: str, ready_told: str
) -> None:
    target, allowance = Target("http://127.0.0.1:8000/"), Allowance(seconds=seconds)
    assert f"no answer within {answer_told}" in refusals.too_late(target, 0, allowance.timeout_s)
    waited_s = glance.warm_up_s(allowance)
    assert ready_told in refusals.of_status(target, 503, http.client.HTTPMessage(), waited_s)


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


@pytest.mark.parametrize("at_most", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_service_that_wants_a_certificate_of_the_client_is_told(at_most: ssl.TLSVersion) -> None:
    """Under TLS 1.2 it says no in the handshake, under 1.3 after it."""
    script = over_tls(answering(answer("200 OK")), asks_client=True, at_most=at_most)
    with lying_servers.serving(script) as port:
        with pytest.raises(ProbeError, match="may want a certificate of the client"):
            looked(port, scheme="https", insecure=True)
        target = Target(f"https://127.0.0.1:{port}/", insecure=True)
        with pytest.raises(NoAnswer, match="wants a certificate of the client"):
            ask(target)


@pytest.mark.parametrize(
    "error",
    [
        of_tls(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")),
        of_tls(ssl.SSLError(1, "decryption failed or bad record mac")),
        OSError(errno.EHOSTUNREACH, "No route to host"),
        OSError(errno.ENOBUFS, "No buffer space available"),
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
        TimeoutError("timed out"),
        http.client.BadStatusLine("SSH"),
        http.client.IncompleteRead(b""),
        http.client.RemoteDisconnected(""),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("before", [0, 1])
def test_whatever_ends_a_connection_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, scheme: str, before: int
) -> None:
    """Of the first answer and of the second."""

    class Ending(http.client.HTTPResponse):
        answered = 0

        def begin(self) -> None:
            Ending.answered += 1
            if Ending.answered > before:
                raise error
            super().begin()

    right = answer("200 OK")
    script = answering(right)
    with lying_servers.serving(over_tls(script) if scheme == "https" else script) as port:
        monkeypatch.setattr(http.client, "HTTPResponse", Ending)
        with pytest.raises(ProbeError, match=r"\A[^\n]+\Z") as told:
            looked(port, scheme=scheme, insecure=True)
    assert f"{scheme}://127.0.0.1:{port}/slow: " in str(told.value)


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
    ],
)
def test_an_answer_that_is_cut_off_is_told(cut: bytes) -> None:
    with serving(in_turn(cut)) as port, pytest.raises(ProbeError, match="its answer was cut off"):
        looked(port)


def test_an_answer_without_a_body_is_whole() -> None:
    with serving(in_turn(answer("200 OK", body="x" * 9))) as port:
        assert looked(port, method="HEAD").size == 0


def test_what_was_seen_is_one_line() -> None:
    seen = Glance(200, "HTTP/1.1", "uvicorn", 1234, 0.0032, 0.1, 0.001, kept=True, same=True)
    assert glance.sentence(seen) == (
        "it answers 200, 1,234 bytes in 3.2 ms, HTTP/1.1, keeps connections, uvicorn"
    )
    assert glance.sentence(replace(seen, server="", kept=False, size=1)) == (
        "it answers 200, 1 byte in 3.2 ms, HTTP/1.1, closes connections"
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_closes_without_a_word_keeps_no_connection(scheme: str) -> None:
    script = once(lying_servers.OK)
    with lying_servers.serving(over_tls(script) if scheme == "https" else script) as port:
        seen = looked(port, scheme=scheme, insecure=True)
    assert not seen.kept
    assert "closes connections" in glance.sentence(seen)


HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    "before", [CONTINUE, PROCESSING, HINTS, HINTS + HINTS, PROCESSING + HINTS + CONTINUE]
)
def test_what_only_announces_an_answer_is_none(before: bytes) -> None:
    with lying_servers.serving(answering(before + lying_servers.OK)) as port:
        seen = looked(port)
        heard = ask(Target(f"http://127.0.0.1:{port}/"))
    assert (seen.status, seen.size, seen.kept, seen.same) == (200, 27, True, True)
    assert (heard.status, len(heard.body), heard.kept) == (200, 27, True)


def test_an_answer_that_is_announced_for_ever_is_waited_for_no_longer_than_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def script(connection: socket.socket) -> None:
        while read_request(connection):
            while True:
                connection.sendall(PROCESSING)
                time.sleep(0.01)

    monkeypatch.setattr(Allowance, "timeout_s", 0.3)
    with lying_servers.serving(script) as port:
        with pytest.raises(ProbeError, match=r"no answer within 0\.3 s"):
            looked(port)
        with pytest.raises(NoAnswer, match=r"no whole answer within 0\.3 s"):
            ask(Target(f"http://127.0.0.1:{port}/"), within_s=0.3)


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
