"""Waves ask no more of a service than it was seen to bear, and leave nothing in hand."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loadtest.model.target import Target
from loadtest.probe import moments, probing
from loadtest.probe.limits import Allowance
from loadtest.probe.moments import Asker
from loadtest.probe.parts import waves
from loadtest.probe.processes import Probed
from loadtest.probe.progress import Told
from loadtest.probe.record import Step, Wave
from tests import lying_servers
from tests.loadtest.probe.quick import probed, shorten
from tests.loadtest.probe.sightings import full, ramp, step
from tests.loadtest.probe.small_servers import serving, waiting
from tests.lying_servers import Script, read_request

BUSY = lying_servers.OK.replace(b"200 OK", b"503 Busy")
REFUSED = step(32, 8, 0.1, answered=10, errors={"status 503": 90})


@pytest.mark.parametrize(
    ("steps", "limit", "bears"),
    [
        (ramp(1000, 0.1, 16), 256, 64),
        (ramp(1000, 0.1, 16), 20, 20),
        (full(8, limit=16), 256, 64),
        ((*full(8, limit=16), REFUSED), 256, 16),
        ((*ramp(1000, 0.1, 16), REFUSED), 256, 0),
        (ramp(1000, 0.1, 1), 1, 1),
    ],
    ids=["growing", "limited", "full", "full and refusing", "growing until it refuses", "alone"],
)
def test_as_many_begin_together_as_the_ramp_says_that_are_borne(
    steps: tuple[Step, ...], limit: int, bears: int
) -> None:
    assert waves.bearable(steps, limit) == bears


def test_a_wave_has_two_groups_where_slots_are_likely_and_else_all_that_may_be() -> None:
    assert waves.size(None, 64) == 64
    assert waves.size(8.0, 256) == 26
    assert waves.size(8.0, 16) == 16
    assert waves.size(40.0, 256) == 82


def refusing(most: int) -> Script:
    """It works on so many at once and refuses more."""
    slots = threading.Semaphore(most)

    def script(connection: socket.socket) -> None:
        while read_request(connection):
            taken = slots.acquire(blocking=False)
            if taken:
                time.sleep(0.02)
                slots.release()
            connection.sendall(lying_servers.OK if taken else BUSY)

    return script


def test_no_more_begin_together_than_a_service_took_that_refuses_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shorten(monkeypatch)
    lines: list[str] = []
    with lying_servers.serving(refusing(4)) as port:
        seen = probed(port, told=Told(line=lines.append), connections=64)
    sound = max(each.connections for each in seen.steps if not each.errors)
    sizes = [int(each) for each in re.findall(r"waves of (\d+)", "\n".join(lines))]
    assert seen.steps[-1].connections > sound
    assert all(each <= sound for each in sizes), lines


@contextmanager
def asked(port: int) -> Iterator[tuple[Asker, Probed]]:
    target, asker = Target(f"http://127.0.0.1:{port}/"), Asker(Allowance(seconds=60))
    try:
        yield asker, Probed(target, probing.address_of(target), None)
    finally:
        asker.close()


def test_what_is_in_hand_where_the_time_of_waves_ends_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wave takes longer than was expected: one of these ends after the time of all."""
    shorten(monkeypatch)
    monkeypatch.setattr(waves, "LONGEST_WAVES_S", 0.3)
    monkeypatch.setattr(waves, "WAITS_FOR_WAVES", 0)
    monkeypatch.setattr(waves, "GROUPS", 3)
    ended: list[int] = []

    def answers() -> bytes:
        answer = waiting(0.05)()
        ended.append(1)
        return answer

    with serving(answers, slots=1) as port, asked(port) as (asker, what):
        waves.roll(asker, what, waves.Expected(8, 0.05, 0.05), lambda *_: None)
        assert len(ended) == asker.allowance.sent >= 8
        assert not asker.behind


@pytest.mark.parametrize(("whole_s", "size"), [(100.0, 0), (0.4, 8)])
def test_a_wave_for_which_there_is_no_time_is_not_sent(whole_s: float, size: int) -> None:
    found: list[Wave] = []
    with serving(waiting(0.05), slots=8) as port, asked(port) as (asker, what):
        expected = waves.Expected(8, 0.05, 0.05)
        waves.at_once(asker, what, expected, lambda wave, *_: found.append(wave), whole_s)
        assert asker.allowance.sent == size
    assert [len(each.took_s) for each in found] == [size] * bool(size)


@pytest.mark.parametrize(
    ("takes_s", "timeout_s", "behind"), [(30.0, 30.0, False), (0.0, 30.0, True), (30.0, 0.3, True)]
)
def test_a_service_that_has_not_answered_in_time_is_behind(
    monkeypatch: pytest.MonkeyPatch, takes_s: float, timeout_s: float, behind: bool
) -> None:
    monkeypatch.setattr(moments, "LAST_ANSWERS_S", 0.0)
    monkeypatch.setattr(Allowance, "timeout_s", timeout_s)
    with serving(waiting(0.5), slots=1) as port, asked(port) as (asker, what):
        with asker.asking(what.target, what.address) as stream:
            asker.open(stream, 2)
            asker.run(lambda: stream.sent >= 2, 30)
            asker.drain(stream, takes_s)
        assert asker.behind is behind
