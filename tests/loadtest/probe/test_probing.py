"""A probe from beginning to end, of servers in this process."""

from __future__ import annotations

import _thread
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from itertools import count

import pytest

from loadtest.engine.engine import Engine
from loadtest.model.target import Target
from loadtest.probe import growth, limits, moments, probing
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.limits import Allowance, ProbeError
from loadtest.probe.moments import Asker
from loadtest.probe.parts import ramp
from loadtest.probe.progress import Told
from loadtest.probe.record import Step
from tests import lying_servers
from tests.loadtest.probe.quick import probed, shorten
from tests.loadtest.probe.sightings import ramp as climbed
from tests.loadtest.probe.small_servers import OK, Answer, in_turn, serving, waiting
from tests.lying_servers import answering, once


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


def changing(first_s: float, then_s: float) -> tuple[Answer, Told, list[Step]]:
    """A service whose answers take otherwise once the first step is over; the steps as told."""
    steps: list[Step] = []
    told = Told(step=steps.append)
    return lambda: waiting(then_s if steps else first_s)(), told, steps


def test_every_part_is_measured_and_every_request_counted() -> None:
    asked = []

    def answers() -> bytes:
        asked.append(1)
        return waiting(0.02)()

    with serving(answers, slots=3) as port:
        seen = probed(port)
    assert seen.alone.connections == 1
    assert len(seen.steps) > 1
    assert seen.waves
    assert seen.server is not None
    assert all(each.taken is not None for each in seen.steps)
    assert 0 <= seen.sent - len(asked) <= 8  # of those that had no answer yet when they were let go
    assert seen.lasted_s < 23


@pytest.mark.parametrize(
    ("host", "family"),
    [("[::1]", socket.AF_INET6), ("localhost", socket.AF_INET), ("127.0.0.1", socket.AF_INET)],
)
def test_it_is_asked_where_it_listens(host: str, family: int) -> None:
    with serving(waiting(0.001), slots=2, family=family) as port:
        assert probed(port, host=host, connections=1).alone.answered > 0


def test_no_more_requests_are_sent_than_stated() -> None:
    with serving(waiting(0.001), slots=4) as port:
        seen = probed(port, requests=150)
    assert seen.sent <= 150
    assert seen.all_sent


def test_a_service_that_fails_from_the_first_request_on_is_trouble() -> None:
    gone = b"HTTP/1.1 500 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with serving(in_turn(OK, OK, gone)) as port, pytest.raises(ProbeError, match="status 500"):
        probed(port)


def test_a_service_that_ends_meanwhile_is_said_to_be_gone() -> None:
    with ExitStack() as running:
        port = running.enter_context(serving(waiting(0.01), slots=2))
        target = Target(f"http://127.0.0.1:{port}/")
        told = Told(step=lambda _: running.close())
        seen = probing.probe(target, Allowance(seconds=20, connections=8), told=told)
    assert seen.died
    assert "nothing listens" in seen.ended


def test_a_service_that_grows_warm_is_measured_again() -> None:
    answers, told, steps = changing(0.1, 0.005)
    with serving(answers, slots=2) as port:
        seen = probed(port, told=told, connections=2)
    assert seen.changed.startswith("The service became faster")
    assert seen.changed.endswith("It was measured again then.")
    assert seen.alone.p50_s < steps[0].p50_s


def test_a_service_that_becomes_slow_is_seen_however_few_answers_it_gives() -> None:
    answers, told, _ = changing(0.02, 0.3)
    with serving(answers, slots=1) as port:
        seen = probed(port, told=told, connections=1)
    assert seen.changed.startswith("The service became slower")


@pytest.mark.parametrize("answered", [0, 1])
def test_a_machine_that_stalls_in_the_first_step_leaves_something_to_measure(
    monkeypatch: pytest.MonkeyPatch, answered: int
) -> None:
    """For longer than the step may last, after so many answers of it."""
    asked = []

    def answers() -> bytes:
        asked.append(1)
        return waiting(0.05)()

    def stalling() -> Engine:
        engine, before = Engine(), 2 + answered  # requests; two are the first look
        engine.now = lambda: time.perf_counter() + 5.0 * (len(asked) > before)
        return engine

    monkeypatch.setattr(moments, "Engine", stalling)
    with serving(answers, slots=2) as port:
        assert probed(port, connections=1).alone.answered >= ramp.FEW_WAITS


def test_connections_leave_with_their_answers() -> None:
    with serving(waiting(0.01), slots=4) as port:
        target, asker = Target(f"http://127.0.0.1:{port}/"), Asker(Allowance(seconds=60))
        with asker.asking(target, probing.address_of(target)) as stream:
            asker.open(stream, 8)
            assert asker.close_some(stream, 3, at_most_s=30)
            assert len(stream.connections) == 3
            assert stream.abandoned == 0
        asker.close()


def test_ctrl_c_leaves_what_was_learnt() -> None:
    interrupted = threading.Event()

    def interrupt(_: object) -> None:
        if not interrupted.is_set():
            interrupted.set()
            _thread.interrupt_main()

    with serving(waiting(0.02), slots=3) as port:
        target = Target(f"http://127.0.0.1:{port}/")
        seen = probing.probe(target, Allowance(seconds=20), told=Told(step=interrupt))
    assert "Ctrl-C" in seen.ended
    assert len(seen.steps) == 1
    assert any("Ctrl-C" in note for note in conclude(seen).notes)


def test_ctrl_c_in_the_first_step_says_that_nothing_was_measured() -> None:
    """Two requests were the look, which is told before the first step."""
    asked: list[int] = []
    lines: list[str] = []

    def answers() -> bytes:
        asked.append(1)
        if len(asked) == 3:  # two are the look
            _thread.interrupt_main()
        return waiting(0.05)()

    with serving(answers, slots=2) as port, pytest.raises(KeyboardInterrupt):
        probed(port, told=Told(line=lines.append))
    assert lines[0].startswith("it answers 200, 2 bytes in ")
    assert lines[-1] == "stopped by Ctrl-C before one step was measured"


def test_the_limit_is_stated_again_where_large_answers_lower_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[str] = []
    with serving(waiting(0.001), slots=4) as port:
        probed(port, told=Told(line=lines.append), connections=1, requests=30)
        assert not any("at most" in line for line in lines)
        monkeypatch.setattr(limits, "MOST_BYTES", 60)  # of 2 an answer
        probed(port, told=Told(line=lines.append), connections=1)
    assert "answers are large: at most 30 requests, 1 connection, 20 s" in lines


def test_a_service_that_closes_only_under_load_is_not_said_to_keep_connections() -> None:
    """It keeps that of the look."""
    opened = count()

    def script(connection: socket.socket) -> None:
        (answering if next(opened) == 0 else once)(lying_servers.OK)(connection)

    with lying_servers.serving(script) as port:
        seen = probed(port)
    assert sum(each.reconnects for each in seen.steps) > 1
    assert not seen.glance.kept


@pytest.mark.parametrize(
    ("reconnects", "failed", "closes"),
    [(0.0, 0, False), (0.4, 0, False), (0.6, 0, True), (1.0, 0, True), (1.0, 9, False)],
)
def test_most_answers_tell_whether_connections_are_kept(
    reconnects: float, failed: int, closes: bool
) -> None:
    """Those that failed had to be opened anew, and tell nothing of it."""
    steps = climbed(4, 0.1, 64)
    changed = [
        replace(
            each,
            reconnects=round(reconnects * each.answered),
            errors={"connection reset": failed * each.answered},
        )
        for each in steps
    ]
    assert growth.closes(changed) is closes


def test_a_light_request_waits_behind_a_full_endpoint() -> None:
    with serving(waiting(0.05), slots=1) as port:
        target = Target(f"http://127.0.0.1:{port}/")
        light = Target(f"http://127.0.0.1:{port}/healthz")
        seen = probing.probe(target, Allowance(seconds=20, connections=4), light)
    assert seen.beside is not None
    assert seen.beside.answered > 0
    assert seen.beside.p50_s > seen.beside.alone_s
    assert "/healthz" in conclude(seen).sentences[-1]
