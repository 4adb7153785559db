"""Who speaks HTTP/2, as it runs and with a certificate, and what a verdict says of it."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import pytest

from loadtest.backends.native import Lab
from loadtest.contract.http2 import check, servers
from loadtest.contract.http2.check import Way
from loadtest.inventory import manifest
from loadtest.system.paths import ROOT
from tests.loadtest.contract.http2.serving import Ways, serving

CERTIFICATE = ROOT / "tests" / "certificates" / "here.pem"
CLEAR, TLS = "in the clear", "over TLS"


@pytest.mark.parametrize(
    ("ways", "slots", "detail"),
    [
        (
            [Way(CLEAR, False), Way(TLS, False)],
            40,
            "speaks HTTP/1.1 alone, in the clear and over TLS",
        ),
        (
            [Way(CLEAR, True, waits_s=0.163), Way(TLS, True, waits_s=0.2)],
            40,
            "speaks HTTP/2 in the clear and over TLS; 100 waits of 50 ms on one connection take "
            "0.16 s, where its 40 slots allow 0.15 s and one after another takes 5 s",
        ),
        (
            [Way(CLEAR, False), Way(TLS, True, waits_s=5.2)],
            1,
            "speaks HTTP/2 over TLS, not in the clear; 100 waits of 50 ms on one connection take "
            "5.2 s, where its 1 slot allows 5 s and one after another takes 5 s",
        ),
        (
            [Way(CLEAR, False), Way(TLS, None, "it is not asked: it takes no certificate")],
            40,
            "speaks HTTP/1.1 alone, in the clear; "
            "over TLS it is not asked: it takes no certificate",
        ),
    ],
)
def test_what_was_found_is_one_line(ways: list[Way], slots: int, detail: str) -> None:
    assert check.told(ways, slots) == detail


def test_what_was_not_asked_is_not_taken_for_a_refusal() -> None:
    unasked = Way(TLS, None, "it is not asked: the program openssl is missing")
    assert check.spoken([Way(CLEAR, False), unasked]) is None
    assert check.spoken([Way(CLEAR, True), unasked]) is True
    assert check.spoken([Way(CLEAR, False), Way(TLS, False)]) is False


def test_every_python_server_of_the_lab_can_be_asked_over_tls() -> None:
    found = {
        name: servers.options(service, Path("c"), Path("k"))
        for name, service in manifest.load().items()
    }
    assert {name for name, options in found.items() if options is None} == {"node", "go"}


def test_a_server_that_alpn_agrees_with_is_found() -> None:
    for protocols, speaks in (["h2"], True), (["http/1.1"], False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        context.set_alpn_protocols(protocols)
        with serving(Ways(), context) as port:
            assert check.over_tls(port, CERTIFICATE).speaks is speaks


def test_prior_knowledge_is_enough_in_the_clear() -> None:
    with serving(Ways()) as port:
        found = check.in_the_clear(f"http://127.0.0.1:{port}")
    assert found.speaks
    assert found.waits_s is not None


def test_gunicorn_speaks_it_with_a_certificate_and_uvicorn_does_not(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "STREAMS", 3)
    found = check.check(lab.services["flask-gthread"], lab)
    assert found["passed"]
    assert re.match(r"speaks HTTP/2 over TLS, not in the clear; 3 waits of 50 ms", found["detail"])
    found = check.check(lab.services["fastapi-async"], lab)
    assert found == {
        "passed": False,
        "detail": "speaks HTTP/1.1 alone, in the clear and over TLS",
    }
