"""The comparison between containers, as `make compare BACKEND=compose` runs it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.results import trials
from loadtest.system.paths import ROOT
from tests.containers.stack import PATIENCE_S, Stack, await_that, closed_clone, docker, prune

pytestmark = pytest.mark.container
EXPERIMENT = """
claim = "C12"
title = "How many answers does a pool give?"
statement = "The pool is the limit."
confirms = "Twice the pool, twice the answers."
refutes = "The same answers from twice the pool."
services = ["fastapi-async"]
reference = "fastapi-async"
measure = "goodput_rps"
axis = "Connections in the pool"
rounds = 2
warmup_s = 0.5
duration_s = 4.0
scenario = "wait"
parameters = { ms = 50 }
load = { kind = "closed", connections = 8 }
levels = [
    { label = "pool of 2", x = 2, environment = { POOL_SIZE = 2 } },
    { label = "pool of 4", x = 4, environment = { POOL_SIZE = 4 } },
]
"""
COMPARE = (
    "make",
    "compare",
    "BACKEND=compose",
    "BUSY=accept",
    "EXPERIMENTS=pool",
    "SERVICES=fastapi-async",
)
SOCKET = Path("/var/run/docker.sock")
USER = os.getuid() or 65534  # as root, an account that the engine's socket lets in


class Clone:
    """The lab of a user who is not root, with experiments, results and state of its own."""

    def __init__(self, folder: Path, project: str) -> None:
        self.folder, self.project = folder / "clone", project
        self.results, self._log = folder / "results", folder / "log"
        closed_clone(self.folder)
        experiments = folder / "experiments"
        experiments.mkdir()
        (experiments / "pool.toml").write_text(EXPERIMENT)
        folder.chmod(0o755)
        if os.getuid() != USER:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, USER, USER, follow_symlinks=False)
        self.variables = os.environ | {
            "COMPOSE_PROJECT_NAME": project,
            "HOME": str(folder),
            "LAB_EXPERIMENTS": str(experiments),
            "LAB_RESULTS": str(self.results),
            "LAB_STATE": str(folder / "state"),
            "TMPDIR": str(folder),
        }

    @contextlib.contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command in the clone, by its user; it is told to end where the block ends before it."""
        other = os.getuid() != USER
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.variables,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=USER if other else None,
                group=USER if other else None,
                extra_groups=[SOCKET.stat().st_gid] if other else None,
            )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)

    @property
    def said(self) -> str:
        """What the command has printed."""
        return self._log.read_text(errors="replace")

    def has_taken_a_trial(self) -> bool:
        """Whether one has been recorded."""
        return any(path.stat().st_size for path in self.results.glob("*/trials.jsonl"))

    def left(self) -> str:
        """Containers, networks and volumes that are still there."""
        label = ("--quiet", "--filter", f"label=com.docker.compose.project={self.project}")
        listings = (("ps", "--all"), ("network", "ls"), ("volume", "ls"))
        return "".join(docker(*listing, *label) for listing in listings)


@pytest.fixture
def clone(stack: Stack) -> Iterator[Clone]:
    with tempfile.TemporaryDirectory() as folder:
        clone = Clone(Path(folder), f"{stack.name}-compare")
        yield clone
        prune(clone.project)


def test_the_report_of_a_comparison_lies_on_the_host(clone: Clone) -> None:
    with clone.running(*COMPARE) as comparison:
        assert comparison.wait(2 * PATIENCE_S) == 0, clone.said
    results = clone.results / "latest"
    assert json.loads((results / "run.json").read_text())["backend"] == "compose"
    assert "containers" in (results / "report.html").read_text()
    assert {path.lstat().st_uid for path in clone.results.rglob("*")} == {USER}
    assert (results / "trials.jsonl").exists(), clone.said
    taken = trials.read(results / "trials.jsonl")
    for trial in taken:
        assert trial.prediction is not None
        assert f"pool of {trial.prediction.slots}" == trial.level
        assert trial.pauses is not None, "the processes of the service are in sight"
        assert trial.machine is not None
        assert trial.machine.service is not None
        assert trial.machine.service.others_s is not None
    assert {each.level for each in taken if each.result.answered} == {"pool of 2", "pool of 4"}
    assert clone.left() == ""


def test_ctrl_c_in_a_terminal_leaves_a_report_and_no_container(clone: Clone) -> None:
    command = " ".join([*COMPARE, "ROUNDS=40"])
    terminal = ("script", "--quiet", "--return", "--command", command, "/dev/null")
    with clone.running(*terminal) as comparison:
        await_that(clone.has_taken_a_trial, what="the first trial is over")
        assert comparison.stdin is not None
        comparison.stdin.write(b"\x03")
        comparison.stdin.flush()
        assert comparison.wait(PATIENCE_S) != 0
    assert (clone.results / "latest/report.html").exists(), clone.said
    assert "next: make compare BACKEND=compose RESUME=" in clone.said
    assert clone.left() == ""


def test_a_budget_that_does_not_exist_is_named_before_anything_starts() -> None:
    done = subprocess.run(
        ["make", "--silent", "compare", "BACKEND=compose", "BUDGET=generous"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode != 0
    assert (
        "unknown budget 'generous'; there are: driver-defaults equal-slots typical" in done.stderr
    )
