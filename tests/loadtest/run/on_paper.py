"""A run whose services exist on paper only: every trial is what the test says."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from loadtest.model.experiment import Experiment, Looked
from loadtest.model.load import Load
from loadtest.model.trial import Gate, Trial
from loadtest.plan.schedule import PlannedTrial
from loadtest.results import trials
from loadtest.results.record import Record
from loadtest.run import runner
from loadtest.run.comparison import Comparison
from loadtest.system.cpus import Cpus
from tests.loadtest.results.test_trials import RESULT

EXPERIMENT = """\
claim = "C1"
title = "t"
statement = "s"
confirms = "c"
refutes = "r"
services = ["fastapi-async", "flask-sync", "flask-gthread"]
reference = "fastapi-async"
rounds = 2
scenario = "json"
levels = [{ connections = 1 }]
"""
PLANNED = 8  # three services and the twin, twice


class Services:
    """A backend whose services exist on paper only."""

    name = "native"
    cpus = Cpus(None, None)
    database_url = None

    def roots(self) -> dict[str, int]:
        return {}

    def __init__(self, asked: Comparison) -> None:
        self.services = dict(asked.plan.services)

    def start(self, names: Collection[str]) -> dict[str, str]:  # noqa: ARG002
        return {}


class Silent:
    """Nobody watches; `lines` is what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.finished: list[Trial] = []
        self.looks: list[tuple[str, Looked, int]] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def trial(self, planned: PlannedTrial, attempt: int) -> None:
        pass

    def done(self, planned: PlannedTrial, trial: Trial) -> None:  # noqa: ARG002
        self.finished.append(trial)

    def round(self, experiment: Experiment, number: int) -> None:
        pass

    def looked(
        self,
        experiment: Experiment,
        look: Looked,
        expected: Sequence[PlannedTrial],
    ) -> None:
        self.looks.append((experiment.name, look, len(expected)))


class Takes:
    """In place of a measurement: `take` is what the test says."""

    def __init__(self, *_: Any, peaks: Mapping[str, Mapping[str, float]], **__: Any) -> None:
        self.peaks = {name: dict(found) for name, found in peaks.items()}
        self.ceiling_rps: float | None = None

    def practised(self, service: str, scenario: str) -> None:
        pass

    def put_back(self) -> None:
        pass

    def take(self, planned: PlannedTrial, attempt: int) -> Trial:
        return taken(planned, attempt)


def taken(planned: PlannedTrial, attempt: int, *, passed: bool = True) -> Trial:
    return Trial(
        run_id="r",
        experiment=planned.experiment.name,
        index=planned.index,
        attempt=attempt,
        round=planned.round,
        order=planned.order,
        arm=planned.arm,
        service=planned.service,
        level=planned.level.label,
        scenario="json",
        parameters={},
        load=Load("closed", 1),
        result=RESULT,
        gates=(Gate("error rate", passed, 0.0, 0.01, "none"),),
    )


def execute(asked: Comparison, watch: Silent | None = None) -> Record:
    @contextlib.contextmanager
    def backend() -> Iterator[Any]:
        yield Services(asked)

    return runner.Runner(asked.plan, asked.folder, asked.record, watch or Silent()).execute(
        backend()
    )


def on_disk(asked: Comparison) -> list[Trial]:
    path = asked.folder / "trials.jsonl"
    return trials.read(path) if path.exists() else []
