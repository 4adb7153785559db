"""Pauses of services that somebody else runs, and of their load, fail a trial of `versus`."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtest.backends.own import OwnServices
from loadtest.inventory.own_service import own_services
from loadtest.model.experiment import Experiment
from loadtest.model.load import LoadResult
from loadtest.model.trial import Trial
from loadtest.plan.parsing import parse
from loadtest.plan.schedule import schedule
from loadtest.run import load
from loadtest.run.forkserver import ForkServer
from loadtest.run.own import processes
from loadtest.run.own.introduction import Introduction
from loadtest.run.own.own_measurement import OwnMeasurement
from loadtest.system import ports
from tests.waiting import eventually

WINDOW_S, PAUSE_S = 1.5, 0.6
TOY = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
Halted = Callable[[ForkServer, int], list[psutil.Process]]


@contextlib.contextmanager
def toy() -> Iterator[tuple[int, int]]:
    """A service that is not the lab's: its port and its process."""
    with ports.held(1) as (port,), subprocess.Popen([sys.executable, "-c", TOY, str(port)]) as own:
        try:
            assert eventually(lambda: processes_of(port) == (own.pid,))
            yield port, own.pid
        finally:
            own.kill()


def processes_of(port: int) -> tuple[int, ...]:
    targets = {"A": {"url": f"http://127.0.0.1:{port}/"}, "B": {"url": "http://192.0.2.1/"}}
    experiment = parse("mine", {"targets": targets, "i_may_load_this": True}, where="mine")
    backend = OwnServices(own_services(experiment.targets, {}), Path())
    assert processes.of(backend, "B") == ()  # of another machine
    return processes.of(backend, "A")


def introduced(folder: Path, port: int) -> tuple[Introduction, OwnServices, Experiment, list[str]]:
    """One service under two names, and what was said of it."""
    targets = {name: {"url": f"http://127.0.0.1:{port}/"} for name in "AB"}
    keys = {"duration_s": WINDOW_S, "warmup_s": 0.1}
    experiment = parse("mine", {"targets": targets, **keys}, where="mine")
    backend = OwnServices(own_services(experiment.targets, {}), folder)
    said: list[str] = []
    introduction = Introduction(backend, experiment, said.append)
    introduction.of(experiment.services)
    return introduction, backend, experiment, said


def taken(folder: Path, port: int, forks: ForkServer) -> tuple[Trial, list[str]]:
    """A trial, and what was said before it."""
    introduction, backend, experiment, said = introduced(folder, port)
    measuring = OwnMeasurement(backend, introduction, run_id="r", seed=1, forks=forks)
    return measuring.take(schedule([experiment], seed=1)[0], 1), said


def service(_: ForkServer, pid: int) -> list[psutil.Process]:
    return [psutil.Process(pid)]


def generator(forks: ForkServer, _: int) -> list[psutil.Process]:
    assert forks.pid
    return psutil.Process(forks.pid).children(recursive=True)


@pytest.mark.timed
@pytest.mark.parametrize(
    ("halted", "gate"),
    [(service, "processes kept running"), (generator, "generator kept going")],
    ids=["service", "generator"],
)
def test_what_stops_within_the_window_fails_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, halted: Halted, gate: str
) -> None:
    with toy() as (port, pid), ForkServer() as forks:

        def stop(phase: str) -> None:
            if phase == "measured":
                found = halted(forks, pid)
                for each in found:
                    each.suspend()
                time.sleep(PAUSE_S)  # so long the pause is
                for each in found:
                    each.resume()

        run = load.run

        def disturbed(*args: Any, **options: Any) -> LoadResult:
            entered = options["entered"]

            def both(phase: str) -> None:
                entered(phase)
                stop(phase)

            return run(*args, **options | {"entered": both})

        monkeypatch.setattr(load, "run", disturbed)
        trial, said = taken(tmp_path, port, forks)
    found = {each.name: each for each in trial.gates}
    assert not found[gate].passed, found[gate].detail
    assert not any("out of sight" in line for line in said)
    assert trial.machine is not None
    assert trial.machine.load is not None
    assert trial.machine.load.others_s is None


def test_processes_that_are_out_of_sight_are_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with toy() as (port, _):
        monkeypatch.setattr(processes, "of", lambda *_: ())
        *_, said = introduced(tmp_path, port)
    assert said[-1] == "processes of A, B are out of sight: pauses go unnoticed"
