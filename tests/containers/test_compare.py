"""The comparison between containers, as `make compare BACKEND=compose` runs it."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
from pathlib import Path

import pytest

from loadtest import trials
from loadtest.manifest import ROOT
from tests.containers.stack import Stack, docker

pytestmark = pytest.mark.container
EXPERIMENT = """
claim = "C12"
title = "How many answers does a pool give?"
statement = "The pool is the limit."
confirms = "Twice the pool, twice the answers."
refutes = "The same answers from twice the pool."
rows = ["fastapi-async"]
reference = "fastapi-async"
measure = "goodput_rps"
axis = "Connections in the pool"
rounds = 2
warmup_s = 0.5
duration_s = 1.0
scenario = "wait"
parameters = { ms = 50 }
load = { kind = "closed", connections = 8 }
levels = [
    { label = "pool of 2", x = 2, environment = { POOL_SIZE = 2 } },
    { label = "pool of 4", x = 4, environment = { POOL_SIZE = 4 } },
]
"""


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    """Experiments, results and state of this test alone."""
    names = ("LAB_RESULTS", "LAB_EXPERIMENTS", "LAB_STATE")
    found = {name: str(tmp_path / name.lower()) for name in names}
    for path in found.values():
        Path(path).mkdir()
    Path(found["LAB_EXPERIMENTS"], "pool.toml").write_text(EXPERIMENT)
    return found


def test_the_report_of_a_comparison_lies_on_the_host(stack: Stack, folders: dict[str, str]) -> None:
    project = f"{stack.name}-compare"
    done = subprocess.run(
        ["make", "compare", "BACKEND=compose", "EXPERIMENTS=pool", "ROWS=fastapi-async"],
        cwd=ROOT,
        env=os.environ | folders | {"COMPOSE_PROJECT_NAME": project, "NO_TTY": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = Path(folders["LAB_RESULTS"]) / "latest"
    assert json.loads((results / "run.json").read_text())["backend"] == "compose"
    assert "containers" in (results / "report.html").read_text()
    owners = {path.owner() for path in results.resolve().rglob("*")}
    assert owners == {pwd.getpwuid(os.getuid()).pw_name}
    taken = trials.read(results / "trials.jsonl")
    for trial in taken:
        assert trial.prediction is not None
        assert f"pool of {trial.prediction.slots}" == trial.level
    assert {each.level for each in taken if each.result.answered} == {"pool of 2", "pool of 4"}
    label = f"label=com.docker.compose.project={project}"
    assert docker("ps", "--all", "--quiet", "--filter", label) == ""


def test_a_budget_that_does_not_exist_is_named_before_anything_starts() -> None:
    done = subprocess.run(
        ["make", "--silent", "compare", "BACKEND=compose", "BUDGET=generous"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "no budget generous; there are: as-shipped equal-slots" in done.stderr
