"""The command of every lesson, shortened: it runs, and its question is answered from what it saw.

Services are started once for all lessons. No figure is judged, but each has to be there: a service
that is late by seconds takes up nothing in a window of tenths, and is asked for longer then.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.backends.native import Lab
from loadtest.inventory import budgets, manifest
from loadtest.model.experiment import Level
from loadtest.plan import plans
from loadtest.plan.plans import Plan
from loadtest.report.lessons import build, digest, lesson
from loadtest.report.lessons.answer import answered
from loadtest.report.lessons.lesson import Lesson
from loadtest.report.report import Report
from loadtest.run.forkserver import ForkServer
from loadtest.run.measurement import Measurement
from tests.native.lessons.shortened import RIGHT, WINDOWS_S, places, reported, shortened

pytestmark = pytest.mark.waits

LESSONS = lesson.read_all()
BUDGET = "typical"


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


@pytest.fixture(scope="module")
def measuring(backend: Lab) -> Iterator[Measurement]:
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
    plan = plans.prepare(each.options(seed=1))
    for window_s in WINDOWS_S:
        short = shortened(plan, backend.services, window_s)
        trials = [measuring.take(planned, 1) for planned in places(short)]
        wrong = [gate for trial in trials for gate in trial.gates if gate.name in RIGHT]
        assert [f"{gate.name}: {gate.detail}" for gate in wrong if not gate.passed] == []
        found = reported(tmp_path / f"{window_s}", plan, short, trials, backend)
        missing = without_figure(each, plan, found)
        if not missing:
            break
    assert missing == []
    answer_of(each, found)


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
