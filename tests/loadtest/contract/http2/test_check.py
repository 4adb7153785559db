"""Who speaks HTTP/2: as it runs, with its server's switch, and with a certificate."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import pytest

from loadtest.backends.native import Lab
from loadtest.contract.http2 import check, servers, ways
from loadtest.contract.http2.ways import IN_CLEAR, Way
from loadtest.inventory import manifest
from loadtest.system.paths import ROOT
from tests.loadtest.contract.http2.serving import Ways, serving

CERTIFICATE = ROOT / "tests" / "certificates" / "here.pem"


def test_every_python_server_of_the_lab_can_be_asked_over_tls() -> None:
    found = {
        name: servers.certified(service, Path("c"), Path("k"))
        for name, service in manifest.load().items()
    }
    assert {name for name, options in found.items() if options is None} == {"node", "go"}


def test_each_server_has_its_own_switch() -> None:
    services = manifest.load()
    switches = {name: " ".join(servers.switch(service)) for name, service in services.items()}
    assert switches["fastapi-async"] == switches["django-asgi"] == "--http zttp --http2"
    assert switches["flask-gthread"] == switches["fastapi-gunicorn"]
    assert switches["flask-gthread"].startswith("--http-protocols h2,h1 --http2-cleartext")
    assert {switches[name] for name in ("fastapi-granian", "fastapi-hypercorn", "go")} == {""}


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


@pytest.mark.parametrize("leaves_after", [0, 1])
def test_a_server_that_begins_and_does_not_answer_is_no_refusal_without_a_reason(
    leaves_after: int,
) -> None:
    with serving(Ways(leaves_after=leaves_after)) as port:
        found = check.in_the_clear(f"http://127.0.0.1:{port}")
    assert found == Way(IN_CLEAR, False, "it begins HTTP/2, then closes the connection")


@pytest.mark.parametrize("name", ["flask-gthread", "fastapi-async"])
def test_each_server_speaks_it_with_its_switch_alone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for module in check, ways:
        monkeypatch.setattr(module, "STREAMS", 3)
    found = check.check(lab.services[name], lab)
    assert found["passed"]
    switch = re.escape(" ".join(servers.switch(lab.services[name])))
    said = f"speaks HTTP/1.1 alone as deployed; with {switch} HTTP/2 in the clear and over TLS; 3 "
    assert re.match(said, found["detail"])


def test_a_server_with_its_switch_on_is_asked_with_a_certificate_alone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def told(_: object, __: object, options: list[str], name: str, ___: object) -> Way:
        asked.append(options)
        return Way(name, True)

    monkeypatch.setattr(check, "_beside", told)
    monkeypatch.setattr(check, "in_the_clear", lambda _, name: Way(name, True))
    found = check.check(lab.services["fastapi-async"], lab)
    assert found["detail"] == "speaks HTTP/2 as deployed; with a certificate HTTP/2 over TLS"
    assert [options[0] for options in asked] == ["--ssl-certfile"]
