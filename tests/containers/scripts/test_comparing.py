"""`containers/compare`, with an engine played by a script: what goes in, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.results import record
from loadtest.results.record import Record
from loadtest.system.paths import ROOT
from tests.containers.scripts.played import Engine
from tests.waiting import eventually


class Comparing:
    """Starts the script; its `run` in the container lasts until `finish`."""

    def __init__(self, folder: Path) -> None:
        self.engine = Engine(folder)
        self.results = folder / "results"
        self._errors = folder / "errors"
        self._finish = folder / "finish"
        os.mkfifo(self._finish)
        self._variables = self.engine.variables | {
            "COMPOSE_PROJECT_NAME": "lab-played",
            "LAB_STATE": str(folder / "state"),
            "LAB_RESULTS": str(self.results),
            "TMPDIR": str(folder),
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def lasting(self) -> None:
        """Have the run in the container go on until it is sent SIGTERM or `finish` is called."""
        self.engine.plays(run=f"exec cat {self._finish}")

    def finish(self) -> None:
        """Let the run in the container come to its end."""
        self._finish.write_text("")

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        with self._errors.open("w") as errors:
            begun = subprocess.Popen(
                [ROOT / "containers/compare", "run", "--backend", "compose", *arguments],
                env=self._variables | variables,
                stdin=subprocess.DEVNULL,
                stderr=errors,
            )
        self.running.append(begun)
        return begun

    def end(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Exit code and errors."""
        return self.start(*arguments, **variables).wait(120), self._errors.read_text()

    def begun(self) -> bool:
        """Whether the run in the container has started."""
        return eventually(lambda: self.asked("run"))

    def asked(self, verb: str) -> list[str]:
        """What `docker compose` was asked with that verb."""
        return [call for call in self.engine.calls if f" {verb} " in call]


@pytest.fixture
def comparing(tmp_path: Path) -> Iterator[Comparing]:
    comparing = Comparing(tmp_path)
    comparing.engine.plays()
    yield comparing
    for each in comparing.running:
        if each.poll() is None:
            each.terminate()
            each.wait(120)


def test_a_second_comparison_stops_before_it_disturbs_the_first(comparing: Comparing) -> None:
    comparing.lasting()
    first = comparing.start()
    assert comparing.begun()
    before = comparing.engine.calls
    code, errors = comparing.end()
    assert code == 2
    assert errors.count("\n") == 1
    assert "another comparison runs" in errors
    assert comparing.engine.calls == before
    comparing.finish()
    assert first.wait(120) == 0
    comparing.engine.plays()
    assert comparing.end() == (0, "")


def test_what_a_killed_comparison_left_is_removed_first(comparing: Comparing) -> None:
    assert comparing.end() == (0, "")
    verbs = [
        verb
        for call in comparing.engine.calls
        for verb in ("down", "build", "up", "run")
        if f" {verb} " in call
    ]
    assert verbs == ["down", "build", "up", "run", "down"]


def test_ctrl_c_lets_the_run_write_its_report_and_removes_the_rest(comparing: Comparing) -> None:
    comparing.lasting()
    script = comparing.start()
    assert comparing.begun()
    script.send_signal(signal.SIGINT)
    assert script.poll() is None
    comparing.finish()
    assert script.wait(120) == 130
    assert len(comparing.asked("down")) == 2


def test_sigterm_ends_the_run_too(comparing: Comparing) -> None:
    comparing.lasting()
    script = comparing.start()
    assert comparing.begun()
    script.send_signal(signal.SIGTERM)
    assert script.wait(120) == 143
    assert len(comparing.asked("down")) == 2


def test_a_file_of_experiments_has_the_same_name_inside(
    comparing: Comparing, tmp_path: Path
) -> None:
    own = tmp_path / "own.toml"
    own.write_text("")
    link = os.path.relpath(own, ROOT)
    assert comparing.end("--experiments", f"blocked-threads, {link}") == (0, "")
    (asked,) = comparing.asked("run")
    assert f"--volume {own}:{own}:ro" in asked
    assert asked.endswith(f"--experiments blocked-threads {own}")


@pytest.mark.parametrize("absolute", [True, False])
def test_a_run_goes_on_in_its_folder_and_under_its_budget(
    comparing: Comparing, tmp_path: Path, absolute: bool
) -> None:
    folder = tmp_path / "elsewhere" / "20260101-000000"
    folder.mkdir(parents=True)
    written = Record("r", command="", plan="quick", seed=1, budget="equal-slots", backend="compose")
    record.write(folder, written)
    (folder.parent / "latest").symlink_to(folder.name)
    named = folder.parent / "latest"
    given = str(named) if absolute else os.path.relpath(named, ROOT)
    assert comparing.end("--resume", given) == (0, "")
    (asked,) = comparing.asked("run")
    assert "--env-file budgets/equal-slots.env" in asked
    assert asked.endswith(f"--resume results/{folder.name}")


@pytest.mark.parametrize(
    ("arguments", "variables", "says"),
    [
        (["--experiments", "absent.toml"], {}, "absent.toml: no such file"),
        (["--experiments"], {}, "--experiments needs a value"),
        (["--resume", "nowhere"], {}, "nowhere: no run.json"),
        (
            [],
            {"BUDGET": "generous"},
            "unknown budget 'generous'; there are: driver-defaults equal-slots typical",
        ),
        ([], {"LAB_EXPERIMENTS": "nowhere"}, "LAB_EXPERIMENTS is no folder"),
        ([], {"LAB_RESULTS": "/dev/null/x"}, "can't be written to /dev/null/x"),
    ],
)
def test_what_cannot_be_is_one_line_before_anything_starts(
    comparing: Comparing, arguments: list[str], variables: dict[str, str], says: str
) -> None:
    code, errors = comparing.end(*arguments, **variables)
    assert code != 0
    assert errors.count("\n") == 1
    assert says in errors
    assert comparing.engine.calls == []


@pytest.mark.parametrize("host", ["ssh://someone@elsewhere", "tcp://192.0.2.1:2376"])
def test_an_engine_on_another_machine_is_refused_in_one_line(
    comparing: Comparing, host: str
) -> None:
    code, errors = comparing.end(DOCKER_HOST=host)
    assert (code, errors.count("\n")) == (2, 1)
    assert "the engine is on another machine" in errors
    assert comparing.asked("up") == []


def test_a_run_without_containers_does_not_go_on_in_them(
    comparing: Comparing, tmp_path: Path
) -> None:
    written = Record("r", command="", plan="quick", seed=1, budget="typical", backend="native")
    record.write(tmp_path, written)
    code, errors = comparing.end("--resume", str(tmp_path))
    assert (code, errors.count("\n")) == (2, 1)
    assert f"go on with it by: make compare RESUME={tmp_path}" in errors
