"""Options of `make compare` that can't be: one line, before anything is installed or built."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from loadtest.inventory import budgets, manifest
from loadtest.plan import reader
from loadtest.plan.schedule import PlanName
from loadtest.system.paths import ROOT

WRONG = [
    ("ROUNDS=1", ["ROUNDS=1", "at least 2"]),
    ("ROUNDS=many", ["ROUNDS=many", "at least 2"]),
    ("SEED=x", ["SEED=x"]),
    ("PLAN=slow", ["unknown plan 'slow'", " ".join(get_args(PlanName))]),
    ("BACKEND=cloud", ["unknown backend 'cloud'", "native compose"]),
    ("BUDGET=lavish", ["unknown budget 'lavish'", " ".join(budgets.names())]),
    ("SERVICES=go flask-tornado", ["unknown service 'flask-tornado'", " ".join(manifest.load())]),
    ("SERVICES=postgres", ["unknown service 'postgres'"]),
    (
        "EXPERIMENTS=speed",
        ["unknown experiment 'speed'", *reader.load_all(), *reader.load_published()],
    ),
    ("EXPERIMENTS=nowhere.toml", ["nowhere.toml: no such file"]),
    ("RESUME=nowhere", ["nowhere: no run.json"]),
]


def compare(*given: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--silent", "compare", *given],
        cwd=ROOT,
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which nothing can be installed or built: docker and every Python fail."""
    for name in ("docker", "python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho started >&2\nexit 9\n")
        program.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


@pytest.mark.parametrize("backend", ["native", "compose"])
@pytest.mark.parametrize(("given", "told"), WRONG, ids=[given for given, _ in WRONG])
def test_it_is_refused_in_either_backend(
    path: str, backend: str, given: str, told: list[str]
) -> None:
    arguments = [given] if given.startswith("BACKEND") else [given, f"BACKEND={backend}"]
    done = compare(*arguments, path=path)
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(said) == 1
    assert said[0].startswith("compare: ")
    for text in told:
        assert text in said[0]


@pytest.mark.parametrize("plan", get_args(PlanName))
def test_every_plan_is_known(path: str, plan: str) -> None:
    arguments = ["setup/options", "--plan", plan]
    done = subprocess.run(
        arguments, cwd=ROOT, env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_service_experiment_and_budget_is_known(path: str) -> None:
    options = [
        "--services",
        " ".join(manifest.load()),
        "--experiments",
        ",".join([*reader.load_all(), *reader.load_published()]),
    ]
    for name in budgets.names():
        arguments = ["setup/options", *options, "--budget", name, "--rounds", "2", "--seed", "-3"]
        done = subprocess.run(
            arguments, cwd=ROOT, env={"PATH": path}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
