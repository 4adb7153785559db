"""The command of every lesson, shortened: it runs, and its question is answered from what it saw.

So do the commands that an exercise has its reader type: they compare, or open Locust's page.

Services are started once for all lessons. No figure is judged, but each has to be there: a service
that is late by seconds takes up nothing in a window of tenths, and is asked for longer then.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.backends.native import Lab
from loadtest.backends.readiness import about
from loadtest.inventory import budgets, manifest
from loadtest.inventory.budgets import Demand
from loadtest.inventory.manifest import Service
from loadtest.model.experiment import Level
from loadtest.model.trial import Trial
from loadtest.plan import plans
from loadtest.plan.plans import Plan
from loadtest.report.lessons import build, digest, lesson
from loadtest.report.lessons.answer import answered
from loadtest.report.lessons.lesson import Lesson
from loadtest.report.report import Report
from loadtest.run.forkserver import ForkServer
from loadtest.run.measurement import Measurement
from tests.docs.commands.typed import Typed, blocks
from tests.native.lessons.shortened import (
    RIGHT,
    WINDOWS_S,
    differing,
    places,
    reported,
    shortened,
)
from tests.native.live.conftest import watching
from tests.waiting import eventually

pytestmark = pytest.mark.waits

LESSONS = lesson.read_all()
BUDGET = "typical"
WAITING = {"scenario": "wait", "parameters": "ms=300", "load": "closed", "think_ms": "0"}
EXERCISES = [
    pytest.param(each, typed, id=f"lesson-{number}-{typed.target}")
    for number, each in LESSONS.items()
    for typed in list(blocks(each.path.read_text()))[1:]
]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The services of all lessons, each started once; a budget of a lesson's own restarts some."""
    names = {name for each in LESSONS.values() for name in each.options(seed=1).services}
    services = manifest.choose(manifest.load(variables=budgets.variables(BUDGET)), sorted(names))
    state = tmp_path_factory.mktemp("lab")
    with Lab(services, host_ports="free", state=state, pin=False) as running:
        yield running


class Unpractised(Measurement):
    """Takes trials of services as they have started: only figures need practice."""

    def _practise(self, service: str, level: Level) -> None:
        pass

    def set_up(self, service: str, settings: Mapping[str, str]) -> None:
        """Run the service under these settings; a later trial starts it as that one wants it."""
        self._prepare(service, settings, fresh=False)


@pytest.fixture(scope="module")
def measuring(backend: Lab) -> Iterator[Unpractised]:
    with ForkServer() as forks:
        forks.begin()
        yield Unpractised(backend, run_id="lessons", seed=1, forks=forks, accept_busy=True)


@pytest.mark.parametrize("number", LESSONS, ids="lesson-{}".format)
def test_the_command_of_a_lesson_ends_with_the_answer_to_its_question(
    number: int,
    backend: Lab,
    measuring: Measurement,
    tmp_path: Path,
) -> None:
    each = LESSONS[number]
    answer_of(each, ran(each, backend, measuring, tmp_path))


@pytest.mark.parametrize(("each", "typed"), EXERCISES)
def test_what_an_exercise_has_its_reader_type_runs_as_it_sets_it(
    each: Lesson,
    typed: Typed,
    backend: Lab,
    measuring: Unpractised,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, value in typed.environment.items():
        monkeypatch.setenv(variable, value)
    known = manifest.load(variables=budgets.variables(BUDGET))
    asked = manifest.choose(known, typed.variables["SERVICES"].split())
    assert any(differing(service, backend.services[name]) for name, service in asked.items())
    if typed.target == "live":
        watched(asked, backend, measuring)
    else:
        ran(replace(each, command=typed.line), backend, measuring, tmp_path)
    for name, service in asked.items():
        assert about(backend.services[name], backend.name)["slots"] == Demand.of(service).slots


def watched(asked: Mapping[str, Service], backend: Lab, measuring: Unpractised) -> None:
    """Locust's page over the services as they are asked for, and as many users as have slots."""
    lab = copy.copy(backend)
    lab.services = {name: backend.services[name] for name in asked}
    for name, service in asked.items():
        measuring.set_up(name, differing(service, backend.services[name]))
    with watching(lab) as watch:
        for name, service in asked.items():
            slots, usual = (Demand.of(s).slots for s in (service, backend.services[name]))
            assert watch.start(name, users=slots, **WAITING)["success"]
            busy = f'lab_slots_busy{{service="{name}"}} > {usual}'
            assert eventually(lambda busy=busy: watch.query(busy)), busy  # type: ignore[misc]


def ran(each: Lesson, backend: Lab, measuring: Measurement, folder: Path) -> Report:
    """The report of a lesson's command, in the first window that has a figure of each service."""
    plan = plans.prepare(each.options(seed=1))
    for window_s in WINDOWS_S:
        short = shortened(plan, backend.services, window_s)
        trials = [measuring.take(planned, 1) for planned in places(short)]
        wrong = [trial for trial in trials if not_right(trial)]
        if window_s < WINDOWS_S[-1] and wrong and not any(each.result.answered for each in wrong):
            continue  # so short a window can lie within one long computation
        assert [line for each in wrong for line in not_right(each)] == []
        found = reported(folder / f"{window_s}", plan, short, trials, backend)
        missing = without_figure(each, plan, found)
        if not missing:
            break
    assert missing == []
    return found


def not_right(trial: Trial) -> list[str]:
    """The gates about answers that a trial failed."""
    gates = [gate for gate in trial.gates if gate.name in RIGHT and not gate.passed]
    return [f"{gate.name}: {gate.detail}" for gate in gates]


def without_figure(each: Lesson, plan: Plan, found: Report) -> list[str]:
    """Services of the lesson's own tables for which the run has no figure."""
    [experiment] = plan.experiments
    own = digest.digest(found)
    missing = []
    for board in each.boards:
        if (board.experiment, board.budget) == (experiment.name, plan.options.budget):
            there = {row.service for row in board.rows(own)}
            run = set(plan.options.services)
            asked = run.intersection(board.services or run)  # a table may have others beside them
            missing += [f"{service}, {board.measure}" for service in sorted(asked - there)]
    return missing


def answer_of(each: Lesson, found: Report) -> None:
    """The end of the command: question, figures, an answer in a sentence, where to read on."""
    console = Console(width=2000)  # no sentence is broken
    with console.capture() as captured:
        console.print(answered(each, found, build.known()))
    lines = captured.get().splitlines()
    assert lines[0] == f"Lesson {each.number} asked: {each.question}"
    [answer] = [line for line in lines if line.startswith("Answer: ")]
    assert "too few rounds" not in answer
    assert answer.endswith(".")
    assert any(line.startswith(("  holds: ", "  fails: ", "  open: ")) for line in lines)
    assert "you, " in captured.get(), "no figure of the run's own"
    assert each.stays
    assert lines[-2] == f"What stays: {each.stays}"
    assert lines[-1].endswith(each.page)
