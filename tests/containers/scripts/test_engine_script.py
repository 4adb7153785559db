"""`.ci/engine` with `docker` and `dockerd` played by scripts: whose engine runs, and how long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.system.paths import ROOT
from tests.waiting import eventually, gone

SCRIPT = ROOT / ".ci/engine"
DOCKER = """#!/bin/sh
case "$*" in
info) [ -e "{up}" ] ;;
esac
"""
# Its file is what makes `docker info` succeed; it goes at SIGTERM, and the file with it.
DOCKERD = """#!{python} -IS
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
with open("{started}", "a") as started:
    print(os.getpid(), file=started)
open("{up}", "w").close()
signal.sigwait([signal.SIGTERM])
os.unlink("{up}")
"""


class Machine:
    """One on which the engine of a run can be watched; its user is root unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._bin = folder, folder / "bin"
        self._up, self._started = folder / "up", folder / "started"
        self._bin.mkdir()
        self.plays("docker", DOCKER.format(up=self._up))
        self.plays(
            "dockerd",
            DOCKERD.format(python=sys.executable, up=self._up, started=self._started),
        )
        self.plays("id", "#!/bin/sh\necho 0\n")
        self._runs: list[subprocess.Popen[str]] = []

    def plays(self, name: str, script: str) -> None:
        """Have a program of that name."""
        path = self._bin / name
        path.write_text(script)
        path.chmod(0o755)

    def has_an_engine(self) -> None:
        """As if somebody had started one."""
        self._up.touch()

    @property
    def up(self) -> bool:
        """Whether an engine answers."""
        return self._up.exists()

    @property
    def engines(self) -> list[int]:
        """Processes of the engines that were started, in order."""
        return [int(line) for line in self._started.read_text().split()] if self.ever else []

    @property
    def ever(self) -> bool:
        """Whether an engine was ever started."""
        return self._started.exists()

    def start(self, *command: str | Path) -> subprocess.Popen[str]:
        """`.ci/engine` with a command."""
        variables = {
            **{name: value for name, value in os.environ.items() if name != "LAB_ENGINE_RUN"},
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "LAB_ENGINE_STATE": str(self._folder / "state"),
            "LAB_ENGINE_LOG": str(self._folder / "log"),
        }
        run = subprocess.Popen([SCRIPT, *command], env=variables, stderr=subprocess.PIPE, text=True)
        self._runs.append(run)
        return run

    def run(self, *command: str | Path) -> tuple[int, str]:
        """Exit code and errors."""
        run = self.start(*command)
        _, errors = run.communicate(timeout=120)
        return run.returncode, errors

    def close(self) -> None:
        """End what a test has left."""
        for run in self._runs:
            if run.poll() is None:
                run.kill()
            run.communicate()
        for pid in self.engines:
            if not gone(pid):
                os.kill(pid, signal.SIGTERM)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.close()


@pytest.fixture
def lasting(tmp_path: Path) -> tuple[list[str], Path]:
    """A command that makes a file, and ends when something is written to the pipe beside it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    return ["sh", "-c", f"touch '{tmp_path}/begun'; exec cat '{pipe}'"], pipe


def test_an_engine_is_there_for_the_command_and_gone_after_it(machine: Machine) -> None:
    code, errors = machine.run("sh", "-c", "docker info && exit 7")
    assert (code, errors) == (7, "")
    (engine,) = machine.engines
    assert gone(engine)


def test_an_engine_that_somebody_else_started_stays(machine: Machine) -> None:
    machine.has_an_engine()
    assert machine.run("docker", "info") == (0, "")
    assert not machine.ever
    assert machine.up


def test_the_second_of_two_runs_waits_for_the_first(
    machine: Machine, lasting: tuple[list[str], Path]
) -> None:
    command, pipe = lasting
    first = machine.start(*command)
    assert eventually((pipe.parent / "begun").exists)
    second = machine.start("docker", "info")
    assert second.stderr is not None
    assert "waiting" in second.stderr.readline()
    assert len(machine.engines) == 1
    pipe.write_text("")
    assert first.wait(120) == 0
    assert second.wait(120) == 0
    assert len(machine.engines) == 2
    assert all(map(gone, machine.engines))


def test_the_engine_of_a_killed_run_is_stopped_by_the_next(
    machine: Machine, lasting: tuple[list[str], Path]
) -> None:
    command, pipe = lasting
    killed = machine.start(*command)
    assert eventually((pipe.parent / "begun").exists)
    killed.kill()
    killed.wait(120)
    pipe.write_text("")
    assert machine.up
    code, errors = machine.run("docker", "info")
    assert (code, errors.count("\n")) == (0, 1)
    assert "a killed run has left" in errors
    assert len(machine.engines) == 2
    assert all(map(gone, machine.engines))


def test_a_run_inside_a_run_has_the_same_engine(machine: Machine) -> None:
    assert machine.run(SCRIPT, "docker", "info") == (0, "")
    assert len(machine.engines) == 1


def test_an_engine_that_does_not_come_up_says_why(machine: Machine) -> None:
    machine.plays("dockerd", "#!/bin/sh\necho 'iptables not found'\nexit 1\n")
    code, errors = machine.run("true")
    assert code == 1
    assert errors.splitlines()[0] == "iptables not found"
    assert "dockerd did not come up" in errors.splitlines()[1]


def test_without_root_it_says_where_to_read_on(machine: Machine) -> None:
    machine.plays("id", "#!/bin/sh\necho 65534\n")
    code, errors = machine.run("true")
    assert (code, errors.count("\n")) == (1, 1)
    assert "only root" in errors
    assert "docs/containers.md" in errors
    assert not machine.ever
