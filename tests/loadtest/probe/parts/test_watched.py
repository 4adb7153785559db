"""Waves, the light request and the look at the end have the witness that steps have."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psutil
import pytest

from loadtest.model.target import Target
from loadtest.probe import growth, probing
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.limits import Allowance
from loadtest.probe.moments import Asking
from loadtest.probe.parts import light, waves
from loadtest.probe.parts.witness import LOAD_STOOD, SERVER_STOPPED, Witness
from loadtest.probe.progress import Found
from loadtest.probe.record import Disturbance, Part, Sighting, document, restored
from tests.loadtest.probe import sightings
from tests.loadtest.probe.parts.test_witness import PAUSE_S, TOY, running, words
from tests.loadtest.probe.quick import probed, shorten
from tests.loadtest.probe.small_servers import serving, waiting

WAVE: Part = "wave"
BESIDE: Part = "measurement of the light request"
AT_THE_END: Part = "look at the end"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[psutil.Process, str]]:
    """A server that is a process of its own, and its address; probes of it are short."""
    shorten(monkeypatch)
    with running([sys.executable, "-c", TOY]) as server:
        yield psutil.Process(server.pid), f"http://127.0.0.1:{next(words(server.stdout))}/"


def stopped_once(process: psutil.Process) -> Callable[[], None]:
    """Stops it for a while, in which the caller goes on, and only the first time."""
    first = iter([True])

    def stop() -> None:
        if next(first, False):
            process.suspend()
            threading.Timer(PAUSE_S, process.resume).start()

    return stop


def before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, do: Callable[[], None]) -> None:
    """Does it whenever that function is called."""
    called = getattr(owner, name)

    def both(*given: Any, **named: Any) -> Any:
        do()
        return called(*given, **named)

    monkeypatch.setattr(owner, name, both)


def probe(url: str, beside: str = "") -> Sighting:
    light = Target(beside) if beside else None
    return probing.probe(Target(url), Allowance(seconds=20, connections=8), light)


def as_at_first(found: Found) -> list[float]:
    """What requests take whose median and mean are those of the first step, however it went."""
    alone = found.steps[0]
    return [alone.p50_s, alone.p50_s, 3 * alone.mean_s - 2 * alone.p50_s]


def again(seen: Sighting, part: Part) -> list[str]:
    return [each.by for each in seen.disturbances if each.part == part and each.again]


@pytest.mark.timed
def test_a_wave_in_which_the_server_is_stopped_is_rolled_again(
    monkeypatch: pytest.MonkeyPatch, toy: tuple[psutil.Process, str]
) -> None:
    server, url = toy
    before(monkeypatch, Asking, "let_go", stopped_once(server))
    seen = probe(url)
    assert SERVER_STOPPED in again(seen, WAVE)
    assert len(seen.waves) >= waves.GROUPS * waves.WAVES_A_GROUP
    assert max(each.took_s[-1] for each in seen.waves) < PAUSE_S


@pytest.mark.timed
def test_a_light_request_is_measured_again_where_the_server_was_stopped(
    monkeypatch: pytest.MonkeyPatch, toy: tuple[psutil.Process, str]
) -> None:
    server, url = toy
    before(monkeypatch, light, "beside", stopped_once(server))
    seen = probe(url, beside=url)
    assert again(seen, BESIDE) == [SERVER_STOPPED]
    assert seen.beside
    assert seen.beside.longest_s < PAUSE_S


def test_a_stop_during_the_look_at_the_end_is_no_change_of_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shorten(monkeypatch)
    looks = iter([lambda _: [1.0, 1.0], as_at_first])
    monkeypatch.setattr(probing, "_alone", lambda found, _: (next(looks)(found), 0))
    monkeypatch.setattr(Witness, "held_up", lambda _, longer_s: LOAD_STOOD * (longer_s > 0.5))
    with serving(waiting(0.005), slots=2) as port:
        seen = probed(port)
    assert again(seen, AT_THE_END) == [LOAD_STOOD]
    assert not seen.changed


def test_a_service_that_became_slower_with_no_stop_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shorten(monkeypatch)
    monkeypatch.setattr(probing, "_alone", lambda *_: ([1.0, 1.0], 0))
    with serving(waiting(0.005), slots=2) as port:
        seen = probed(port)
    assert seen.changed.startswith("The service became slower")


def test_waves_that_are_always_stopped_end_and_count_with_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shorten(monkeypatch)
    monkeypatch.setattr(waves, "GROUPS", 3)
    # Where others take much CPU, more waves may follow.
    monkeypatch.setattr(growth, "others_crowd", lambda *_: False)
    monkeypatch.setattr(Witness, "held_up", lambda *_: SERVER_STOPPED)
    with serving(waiting(0.02), slots=2) as port:
        seen = probed(port)
    assert len(again(seen, WAVE)) == waves.ROLLED_AGAIN
    assert len(seen.waves) == waves.GROUPS * waves.WAVES_A_GROUP
    assert any("the number of slots may be wrong" in note for note in conclude(seen).notes)


def test_each_part_says_what_was_taken_again_and_what_is_in_doubt() -> None:
    seen = sightings.seen(sightings.full(4), server=sightings.server())
    seen = replace(
        seen,
        disturbances=(
            Disturbance(WAVE, SERVER_STOPPED, again=True),
            Disturbance(WAVE, LOAD_STOOD, again=True),
            Disturbance(BESIDE, "stolen time", again=False),
            Disturbance(AT_THE_END, LOAD_STOOD, again=False),
        ),
    )
    notes = conclude(seen).notes
    assert f"2 waves were taken again: {SERVER_STOPPED}, {LOAD_STOOD}." in notes
    assert (
        "1 measurement of the light request was disturbed by stolen time: its waits may be wrong."
        in notes
    )
    assert any("a change of the service could not be seen" in note for note in notes)
    assert restored(json.loads(json.dumps(document(seen, conclude(seen))))) == seen
