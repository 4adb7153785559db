"""How often something was changed is told, however a probe ends."""

from __future__ import annotations

import _thread
import socket
import time
from collections import Counter

import pytest

from loadtest.model.target import Target
from loadtest.probe import probing
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.limits import Allowance, ProbeError
from loadtest.probe.progress import Told
from loadtest.probe.record import Sighting
from loadtest.system import ports
from tests import lying_servers
from tests.loadtest.probe.quick import probed, shorten
from tests.lying_servers import OK, Script, answering, read_request


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


WRONG = OK.replace(b"200 OK", b"500 Gone")


def counting(asked: Counter[str], wrong_from: float = 1e9) -> Script:
    """Requests by their method; wrong answers from that one on."""

    def script(connection: socket.socket) -> None:
        while request := read_request(connection):
            asked[request.split()[0].decode()] += 1
            time.sleep(0.01)
            connection.sendall(OK if asked.total() < wrong_from else WRONG)

    return script


def posted(port: int, told: Told, beside: str = "") -> Sighting:
    url = f"http://127.0.0.1:{port}/"
    light_one = Target(url + beside) if beside else None
    allowance = Allowance(seconds=20, connections=4)
    return probing.probe(Target(url, method="POST"), allowance, light_one, told)


@pytest.mark.parametrize("wrong_from", [1, 3], ids=["the look", "the first step"])
def test_what_was_changed_is_told_where_the_service_cannot_be_measured(wrong_from: int) -> None:
    asked: Counter[str] = Counter()
    lines: list[str] = []
    script = counting(asked, wrong_from)
    with lying_servers.serving(script) as port, pytest.raises(ProbeError, match="500"):
        posted(port, Told(line=lines.append))
    assert lines[-1] == f"{asked['POST']} POST requests were sent."


def test_what_was_changed_is_told_where_the_light_endpoint_cannot_be_asked() -> None:
    asked: Counter[str] = Counter()
    lines: list[str] = []
    script = counting(asked, wrong_from=3)
    with lying_servers.serving(script) as port, pytest.raises(ProbeError, match="500"):
        posted(port, Told(line=lines.append), "healthz")
    assert asked == {"POST": 2, "GET": 2}
    assert lines[-1] == "2 POST requests were sent."


def test_what_was_changed_is_told_where_nothing_listens_and_after_ctrl_c() -> None:
    asked: Counter[str] = Counter()
    lines: list[str] = []
    with lying_servers.serving(counting(asked)) as port:

        def line(text: str) -> None:
            lines.append(text)
            if text.startswith("it answers"):
                _thread.interrupt_main()

        with pytest.raises(KeyboardInterrupt):
            posted(port, Told(line=line))
    assert lines[-2:] == [
        "stopped by Ctrl-C before one step was measured",
        "2 POST requests were sent.",
    ]
    with ports.held(1) as (port,), pytest.raises(ProbeError, match="nothing listens"):
        posted(port, Told(line=lines.append))
    assert lines[-1] == "0 POST requests were sent."


def test_light_requests_are_none_of_those_that_change_something() -> None:
    asked: Counter[str] = Counter()
    with lying_servers.serving(counting(asked)) as port:
        seen = posted(port, Told(), "healthz")
    assert seen.beside is not None
    assert asked["GET"] > 2
    assert 0 <= seen.light - asked["GET"] <= 1  # of those that had no answer yet, as below
    assert 0 <= seen.sent - seen.light - asked["POST"] <= 12
    assert f"{seen.sent - seen.light:,} POST requests were sent." in conclude(seen).notes


def test_nothing_is_told_of_requests_that_only_read() -> None:
    lines: list[str] = []
    with lying_servers.serving(answering(WRONG)) as port, pytest.raises(ProbeError):
        probed(port, told=Told(line=lines.append))
    assert not any("sent" in line for line in lines)


def closing_silently(asked: Counter[str]) -> Script:
    """Each connection has one answer; the next request on it is read, and the connection closed."""

    def script(connection: socket.socket) -> None:
        for number in range(2):
            if not (request := read_request(connection)):
                return
            asked[request.split()[0].decode()] += 1
            time.sleep(0.01)
            if number == 0:
                connection.sendall(OK)

    return script


def test_requests_that_are_sent_again_are_within_the_limit() -> None:
    asked: Counter[str] = Counter()
    with lying_servers.serving(closing_silently(asked)) as port:
        seen = probed(port, requests=60)
    assert asked.total() <= 60
    assert seen.sent == asked.total()
