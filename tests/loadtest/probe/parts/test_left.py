"""What is left of time, requests and connections bounds every part of a probe, and is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from loadtest.model.target import Target
from loadtest.probe import glance, moments, probing
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.limits import Allowance, ProbeError
from loadtest.probe.moments import Asker
from loadtest.probe.parts import light
from loadtest.probe.record import Sighting
from tests import lying_servers
from tests.loadtest.probe.quick import shorten
from tests.loadtest.probe.sightings import full, seen
from tests.loadtest.probe.small_servers import serving, waiting
from tests.lying_servers import OK, Script, read_request


def ending(in_s: float) -> Allowance:
    """Of an hour, of which so much is left."""
    return Allowance(seconds=3600, began=time.perf_counter() - 3600 + in_s)


def beside(port: int, connections: int = 8) -> Sighting:
    """A probe that asks the same service for its health meanwhile."""
    url = f"http://127.0.0.1:{port}/"
    allowance = Allowance(seconds=20, connections=connections)
    return probing.probe(Target(url), allowance, Target(url + "healthz"))


def test_nothing_is_waited_for_beyond_the_end_of_a_probe() -> None:
    asker, began = Asker(ending(0.2)), time.perf_counter()
    assert not asker.run(lambda: False, 200)
    assert time.perf_counter() - began < 100
    asker.close()


def test_a_look_waits_no_longer_than_the_probe_lasts() -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with lying_servers.serving(silent) as port:
        target = Target(f"http://127.0.0.1:{port}/")
        with pytest.raises(ProbeError, match="no answer within 1 s"):
            glance.look(target, probing.address_of(target), ending(0.5))


@pytest.mark.parametrize(
    "left", [lambda: Allowance(seconds=60, requests=3), lambda: ending(0.3)], ids=["sent", "time"]
)
def test_of_a_light_request_that_was_never_sent_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, left: Callable[[], Allowance]
) -> None:
    monkeypatch.setattr(light, "BESIDE_S", 0.5)
    with serving(waiting(0.001), slots=4) as port:
        target, asker = Target(f"http://127.0.0.1:{port}/"), Asker(left())
        there = target, probing.address_of(target)
        with asker.asking(*there) as stream:
            assert light.beside(asker, target.url, stream, there, seen(full(1))) is None
        asker.close()


def test_a_light_request_for_which_no_time_is_left_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)
    monkeypatch.setattr(light, "SHORTEST_BESIDE_S", 1000.0)
    with serving(waiting(0.005), slots=2) as port:
        found = beside(port)
        url = f"http://127.0.0.1:{port}/healthz"
    assert found.beside is None
    assert found.light == 2  # the look
    told = f"What {url} waits meanwhile was not measured: no time was left."
    assert told in conclude(found).notes


def test_nothing_is_measured_behind_requests_that_have_no_answer_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shorten(monkeypatch)
    monkeypatch.setattr(Asker, "drain", lambda asker, *_: setattr(asker, "behind", True))
    with serving(waiting(0.02), slots=1) as port:
        found = beside(port)
    assert (found.waves, found.beside, found.changed) == ((), None, "")
    notes = [each for each in conclude(found).notes if probing.STILL_IN_HAND in each]
    assert [each.split(" ")[0] for each in notes] == ["What", "Whether"]


def test_a_service_that_hangs_is_not_said_to_refuse_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three requests that meet hold one another up for ever, as with a pool that is too small."""
    shorten(monkeypatch)
    monkeypatch.setattr(moments, "LAST_ANSWERS_S", 0.2)
    monkeypatch.setattr(Allowance, "timeout_s", 2.0)
    released = threading.Event()
    counted = Counted(lambda in_hand: released.wait() if in_hand > 2 else time.sleep(0.01))
    with lying_servers.serving(counted.script) as port:
        found = beside(port)
        released.set()
    said = conclude(found)
    assert said.binding.name == "nothing yet"
    assert "no answer came" in said.sentences[1] or "no answer in time" in said.sentences[1]
    assert (found.waves, found.beside) == ((), None)


class Counted:
    """A service that knows how many requests it has in hand, and what it does then."""

    def __init__(self, works: Callable[[int], object]) -> None:
        self.most = self._in_hand = 0
        self._works, self._lock = works, threading.Lock()
        self.script: Script = self._serve

    def _serve(self, connection: socket.socket) -> None:
        while read_request(connection):
            with self._lock:
                self._in_hand += 1
                in_hand = self._in_hand
                self.most = max(self.most, in_hand)
            self._works(in_hand)
            with self._lock:
                self._in_hand -= 1
            connection.sendall(OK)


def test_a_light_request_takes_one_of_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)
    counted = Counted(lambda _: time.sleep(0.02))
    with lying_servers.serving(counted.script) as port:
        found = beside(port, connections=2)
    assert found.beside
    assert (found.beside.connections, counted.most) == (1, 2)


def test_one_connection_is_too_few_for_a_light_request() -> None:
    with pytest.raises(ProbeError, match=r"\A[^\n]+ --connections 2\Z"):
        beside(1, connections=1)
