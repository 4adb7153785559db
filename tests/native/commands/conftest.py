"""The lab as a person runs it: the command line in a process of its own, on ports of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtest.inventory import manifest
from loadtest.system import ports
from tests.native.commands.hostile import hostile
from tests.waiting import eventually

EXPERIMENT = """\
claim = "C1"
title = "A tiny comparison"
statement = "Two services wait."
confirms = "They do."
refutes = "They do not."
services = ["fastapi-async", "flask-sync"]
reference = "fastapi-async"
rounds = 2
warmup_s = 0.2
duration_s = 0.5
scenario = "wait"
parameters = { ms = 20 }
levels = [{ connections = 4 }]
"""
SERVICES = ("fastapi-async", "flask-sync")
TRIALS = 6  # two services and the twin, twice


def of_one(service: str) -> str:
    """EXPERIMENT of one service and its twin."""
    return EXPERIMENT.replace('["fastapi-async", "flask-sync"]', f'["{service}"]').replace(
        'reference = "fastapi-async"', f'reference = "{service}"'
    )


# These tests are of the commands and not of figures: other programs may run beside them.
OPTIONS = ("--seed", "7", "--busy", "accept")


@dataclass
class Shell:
    """Runs commands of the lab in a world of its own: state, results and output are in `folder`."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> Path:
        return self.folder / "results" / "latest"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def compare(
        self, experiment: str = EXPERIMENT, services: Sequence[str] = SERVICES
    ) -> tuple[str, ...]:
        """Arguments of a tiny comparison."""
        path = self.folder / "tiny.toml"
        path.write_text(experiment)
        return ("run", "--experiments", str(path), "--services", " ".join(services), *OPTIONS)

    def run(
        self, *arguments: str, program: Sequence[str] = ("-m", "loadtest"), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; `program` is what Python runs."""
        return subprocess.run(
            [sys.executable, *program, *arguments],
            env=self._variables() | variables,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=280,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command; what it says goes to `output`."""
        with self.output.open("w") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "loadtest", *arguments],
                env=self._variables(),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
            )

    def processes(self) -> list[psutil.Process]:
        """Every process that belongs to this world."""
        found, state = [], os.fsencode(self.state)
        for pid in psutil.pids():
            with suppress(OSError, psutil.Error):  # it has just ended
                if state in _words(pid):
                    found.append(psutil.Process(pid))
        return found

    def trials(self) -> list[dict[str, Any]]:
        """The lines of trials.jsonl that have been written to their end."""
        path = self.latest / "trials.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def record(self) -> dict[str, Any]:
        """run.json."""
        content: dict[str, Any] = json.loads((self.latest / "run.json").read_text())
        return content

    def _variables(self) -> dict[str, str]:
        own = {"LAB_STATE": str(self.state), "LAB_RESULTS": str(self.folder / "results")}
        return {**os.environ, **own, **self.environment}


def _words(pid: int) -> bytes:
    """Its command and environment, read at once: this is asked of every process again and again."""
    return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))


@contextmanager
def free_ports() -> Iterator[dict[str, str]]:
    """Variables that put every service, Locust and Prometheus on ports that nobody else
    is given.
    """
    services = manifest.load().values()
    names = [service.port_variable for service in services] + [
        service.metrics_port_variable for service in services
    ]
    names += ["LOCUST_PORT", "PROMETHEUS_PORT", "LAB_LOAD_METRICS_PORT"]
    with ports.held(len(names)) as found:
        yield {name: str(port) for name, port in zip(names, found, strict=True)}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A world on free ports, in which no process may be left at the end."""
    with free_ports() as variables:
        shell = Shell(tmp_path, variables)
        yield shell
        assert eventually(lambda: not shell.processes()), [p.cmdline() for p in shell.processes()]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, str]:
    """A world in which a tiny comparison has run, and what it said.

    Its environment is made for other programs, which a run must not notice. One of them has the
    port that a service is given in docker-compose.yml.
    """
    with free_ports() as variables, socket.create_server(("127.0.0.1", 0)) as other:
        variables["FLASK_SYNC_PORT"] = str(other.getsockname()[1])
        shell = Shell(tmp_path_factory.mktemp("finished"), variables)
        done = shell.run(*shell.compare(), **hostile(tmp_path_factory.mktemp("user")))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert eventually(lambda: not shell.processes())
    return shell, done.stdout
