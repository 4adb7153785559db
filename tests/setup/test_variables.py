"""Variables on make's command line: what a target doesn't take is refused in one line."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest

from loadtest.system.paths import ROOT

MAKES_OWN = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")


def make(*arguments: str, **variables: str) -> tuple[int, str]:
    """What make would do, or why it does nothing: its code and what it says on standard error."""
    environment = {name: value for name, value in os.environ.items() if name not in MAKES_OWN}
    done = subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["compare", "EXPERIMENT=pool"], ["EXPERIMENT=", "EXPERIMENTS="]),
        (["compare", "ROW=go"], ["ROW=", "SERVICES="]),
        (["compare", "ROWS=go"], ["ROWS=", 'make compare SERVICES="go"']),
        (["live", "ROWS=go"], ["ROWS=", 'make live SERVICES="go"']),
        (["test", "ROWS=go"], ["ROWS=", "SERVICES=", "make test takes PYTEST="]),
        (["down", "ROWS=go"], ["ROWS=", "SERVICES=", "make down takes no variables"]),
        (["live", "EXPERIMENTS=pool"], ["EXPERIMENTS=", "SERVICES="]),
        (["up", "SERVICES=go"], ["SERVICES=", "PROFILE="]),
        (["down", "PROFILE=all"], ["PROFILE=", "no variables"]),
        (["test", "PYTESTS=-x"], ["PYTESTS=", "PYTEST="]),
        (["PLAN=full"], ["PLAN=", "make help"]),
        (["compare", "PYTHON_FRE=python3.14t"], ["PYTHON_FRE=", "PYTHON_FREE="]),
        (["live", "PYTHON_FREE=python3.14t"], ["PYTHON_FREE=", "make live takes"]),
        (["e2e"], ["make test-containers"]),
    ],
)
def test_a_mistake_is_one_line_with_the_right_word(arguments: list[str], told: list[str]) -> None:
    code, said = make(*arguments)
    assert code == 2
    assert len(said.splitlines()) == 1
    for text in told:
        assert text in said


def test_the_old_name_in_the_environment_is_not_ignored_where_it_counted() -> None:
    code, said = make("compare", ROWS="go")
    assert (code, "SERVICES=" in said) == (2, True)
    assert make("history", ROWS="24")[0] == 0


@pytest.mark.parametrize(
    ("goal", "name", "right"),
    [
        ("compare", "ROW", "SERVICES="),
        ("compare", "EXPERIMENT", "EXPERIMENTS="),
        ("compare", "SEEDS", "SEED="),
        ("live", "SERVICE", "SERVICES="),
        ("up", "BUDGETS", "BUDGET="),
        ("compare", "LAB_RESULT", "LAB_RESULTS"),
        ("test", "LAB_TEST_ROWS", "LAB_TEST_SERVICES"),
        ("up", "FLASK_SYNC_WORKER", "FLASK_SYNC_WORKERS"),
        ("up", "LAB_NOTHING_OF_THE_KIND", "docs/configuration.md"),
    ],
)
def test_a_mistake_in_the_environment_is_one_line_too(goal: str, name: str, right: str) -> None:
    code, said = make(goal, **{name: "3"})
    assert code == 2
    assert len(said.splitlines()) == 1
    assert f"{name}" in said
    assert right in said


def test_a_mistaken_variable_of_the_lab_is_refused_behind_make_as_well() -> None:
    code, said = make("test", "LAB_TEST_ROWS=go")
    assert (code, "LAB_TEST_SERVICES" in said) == (2, True)


def test_what_others_have_in_the_environment_is_theirs() -> None:
    theirs = {"ROW": "1", "SERVICE": "web", "RUN": "yes", "NODE_ENV": "production"}
    assert make("test", **theirs) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "PLAN=full", "EXPERIMENTS=pool", "SERVICES=go", "BUDGET=equal-slots"],
        ["compare", "ROUNDS=3", "SEED=1", "BACKEND=compose", "RESUME=results/latest"],
        ["live", "SERVICES=go", "LOCUST_PORT=18089", "LAB_STATE=/tmp/lab", "GO_PORT=18000"],
        ["up", "PROFILE=all", "GRAFANA_PORT=13000", "DOCKER_HOST=unix:///tmp/socket"],
        ["test", "PYTEST=-x", "PYTHON=python3"],
        ["check", "test", "PYTEST=-x"],
        ["compare", "SERVICES="],
    ],
)
def test_what_a_target_takes_passes(arguments: list[str]) -> None:
    assert make(*arguments) == (0, "")


ODD = "http://127.0.0.1:8101/items?a=1&b=(2);c=<3>|*"


@pytest.mark.parametrize(
    ("goal", "given", "words"),
    [
        ("probe", f"URL={ODD}", [ODD]),
        ("versus", f"TARGETS=A={ODD} B={ODD}", [f"A={ODD}", f"B={ODD}"]),
    ],
)
def test_a_url_reaches_its_command_whole(goal: str, given: str, words: list[str]) -> None:
    """Whatever letters of it a shell would take for its own."""
    done = subprocess.run(
        ["make", "--dry-run", goal, given],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in MAKES_OWN},
        capture_output=True,
        text=True,
        check=True,
    )
    typed = shlex.split(done.stdout.splitlines()[-1])
    assert typed[typed.index(goal) + 1 :] == words


def test_what_python_and_shells_read_by_themselves_reaches_no_command() -> None:
    hostile = {"PYTHONSAFEPATH": "1", "PYTHONPATH": "/nowhere", "PYTHONOPTIMIZE": "2"}
    hostile |= {"PYTHONUTF8": "0", "PYTHONHOME": "/nowhere", "BASH_ENV": "/nowhere", "CDPATH": "/"}
    done = subprocess.run(
        ["make", "--silent", "--eval=show: ; @env", "show"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | hostile,
        capture_output=True,
        text=True,
        check=True,
    )
    given = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert {name: given[name] for name in hostile if name in given} == {"PYTHONUTF8": "1"}
