"""A step that something disturbed is taken again within the limits of a probe, and that is told."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from loadtest.model.witness import Machine, Pause
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.parts import witness
from loadtest.probe.parts.witness import LOAD_STOOD, SERVER_STOPPED, disturbance
from loadtest.probe.record import Sighting, document, restored
from tests.loadtest.probe import sightings
from tests.loadtest.probe.quick import probed, shorten
from tests.loadtest.probe.small_servers import serving, waiting

QUIET = Machine(lasted_s=2.0)
PAUSE_S = 0.5
UNDER_WAY = 8  # requests, of which two are the look
# Tells its port, then each of the first requests.
TOY = f"""
import http.server, itertools, time
seen = itertools.count(1)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if next(seen) <= {UNDER_WAY}: print("asked", flush=True)
        time.sleep(0.02)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.mark.parametrize(
    ("stood_still_s", "pauses", "machine", "told"),
    [
        (0.0, None, QUIET, ""),
        (0.09, (Pause("the server", 7, 0.1),), QUIET, ""),
        (0.11, (), QUIET, LOAD_STOOD),
        (0.0, (Pause("the server", 7, 0.3),), QUIET, SERVER_STOPPED),
        (0.0, None, replace(QUIET, throttled_s=0.2), "a quota of CPU"),
    ],
)
def test_a_step_is_judged_by_the_gates_of_a_trial(
    stood_still_s: float, pauses: Sequence[Pause] | None, machine: Machine, told: str
) -> None:
    assert disturbance(2.0, stood_still_s, pauses, machine) == told


def test_it_is_said_how_many_were_taken_again_and_how_many_stayed_disturbed() -> None:
    first, second, *rest = sightings.full(4)
    first = replace(first, retaken=SERVER_STOPPED)
    second = replace(second, retaken=SERVER_STOPPED, disturbed=LOAD_STOOD)
    seen = sightings.seen([first, second, *rest], server=sightings.server())
    notes = conclude(seen).notes
    assert "2 steps were taken again: stopped processes of the server." in notes
    assert "1 step was disturbed by a load that stood still: the figures may be wrong." in notes
    assert restored(json.loads(json.dumps(document(seen, conclude(seen))))) == seen


def test_a_quiet_probe_says_nothing_of_it() -> None:
    seen = sightings.seen(sightings.full(4), server=sightings.server())
    assert not any("taken again" in note or "disturbed" in note for note in conclude(seen).notes)


def always_disturbed(
    monkeypatch: pytest.MonkeyPatch, by: Callable[[], str], requests: int = 100_000
) -> Sighting:
    shorten(monkeypatch)
    monkeypatch.setattr(witness, "disturbance", lambda *_: by())
    with serving(waiting(0.005), slots=2) as port:
        return probed(port, requests=requests)


def test_what_disturbs_a_step_each_time_has_no_other_taken_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = always_disturbed(monkeypatch, lambda: SERVER_STOPPED)
    assert [bool(each.retaken) for each in seen.steps] == [True, *[False] * (len(seen.steps) - 1)]
    assert len(seen.steps) > 1
    assert all(each.disturbed for each in seen.steps)


@pytest.mark.parametrize("requests", [30, 60, 100])
def test_steps_that_are_taken_again_keep_to_the_limits(
    monkeypatch: pytest.MonkeyPatch, requests: int
) -> None:
    reasons = count()
    seen = always_disturbed(monkeypatch, lambda: f"reason {next(reasons)}", requests=requests)
    assert seen.sent <= requests
    assert seen.lasted_s < 23
    assert seen.alone.answered


def words(stream: IO[str] | None) -> Iterator[str]:
    assert stream
    return (line.strip() for line in stream)


@pytest.mark.timed
@pytest.mark.parametrize("halted", [SERVER_STOPPED, LOAD_STOOD])
def test_a_step_in_which_something_stops_is_taken_again(tmp_path: Path, halted: str) -> None:
    """The server, or the load, for half a second of the first step."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running([sys.executable, "-c", TOY]))
        said = words(server.stdout)
        found = stack.enter_context(probed_from_outside(next(said), tmp_path))
        for _ in range(UNDER_WAY):
            next(said)
        stopped = psutil.Process((server if halted == SERVER_STOPPED else found).pid)
        stopped.suspend()
        time.sleep(PAUSE_S)  # so long the pause is
        stopped.resume()
        told, _ = found.communicate(timeout=120)
    seen: dict[str, Any] = json.loads(told)
    first = seen["seen"]["steps"][0]
    assert halted in first["retaken"], first
    assert any(" taken again: " in note and halted in note for note in seen["notes"])


def probed_from_outside(
    port: str, folder: Path
) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    url = f"http://127.0.0.1:{port}/"
    command = [
        *(sys.executable, "-m", "loadtest", "probe", url, "--json"),
        *("--seconds", "20", "--connections", "2"),
    ]
    return running(command, LAB_RESULTS=str(folder))


@contextlib.contextmanager
def running(command: Sequence[str], **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A program inside the block; it is killed at its end."""
    environment = os.environ | variables
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()
