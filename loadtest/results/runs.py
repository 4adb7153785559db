"""A run as it lies on disk: run.json, its experiments and its trials. Reads, never writes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from loadtest.errors import LabError
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.parsing import parse
from loadtest.results import trials as records
from loadtest.results.older import modern, renamed_budget
from loadtest.results.trials import TrialsError

RUN_VERSION = 4
_OLDER = (2, 3)  # read, and translated


class RunError(LabError):
    """A results folder cannot be used; the message names it and says what to do."""


@dataclass(frozen=True)
class Run:
    """What run.json and trials.jsonl of one folder hold.

    `info` is run.json, which `loadtest.results.record` describes. Only `version` and `experiments`
    are needed.
    """

    folder: Path
    info: Mapping[str, Any]
    experiments: Mapping[str, Experiment]
    trials: tuple[Trial, ...]

    @property
    def id(self) -> str:
        """Name of the run."""
        return str(self.info.get("run_id", self.folder.resolve().name))

    @property
    def budget(self) -> str:
        """Name of the budget that the services ran under."""
        return str(self.info.get("budget", "unnamed"))

    @cached_property
    def valid(self) -> dict[str, list[Trial]]:
        """The trials that count, by experiment."""
        return _by_experiment(counted(self.trials))

    @cached_property
    def all(self) -> dict[str, list[Trial]]:
        """Every trial that was run, by experiment, failed gates and reruns included."""
        return _by_experiment(self.trials)

    @property
    def complete(self) -> bool:
        """Whether every planned trial was run."""
        planned = self.info.get("planned")
        places = {(trial.experiment, trial.index) for trial in self.trials}
        return not self.info.get("interrupted") and (planned is None or len(places) >= planned)


def counted(trials: Iterable[Trial]) -> list[Trial]:
    """The one trial of each place in the schedule that counts: its first with every gate passed.

    A place whose every attempt failed a gate has none: it is shown, but decides nothing.
    """
    kept: dict[tuple[str, int], Trial] = {}
    for trial in sorted(trials, key=lambda each: each.attempt):
        if trial.valid:
            kept.setdefault((trial.experiment, trial.index), trial)
    return sorted(kept.values(), key=lambda each: (each.experiment, each.index))


def _by_experiment(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    """Trials under the name of their experiment, in the order in which the experiments ran."""
    groups: defaultdict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[trial.experiment].append(trial)
    return dict(groups)


def load(folder: Path) -> Run:
    """Read a results folder; one of another version, or that is none, is an error."""
    known = info(folder)
    experiments = {
        name: _as_planned(_experiment(folder, name, document), known.get("plans", {}).get(name))
        for name, document in known.get("experiments", {}).items()
    }
    return Run(folder, known, experiments, tuple(_trials(folder)))


def info(folder: Path) -> dict[str, Any]:
    """Read run.json alone; one of another version, or none, is a RunError."""
    path = folder / "run.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{folder}: no run.json; name a folder of results/") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: not valid JSON: {error}") from None
    if isinstance(found, dict) and found.get("version") in _OLDER:
        found = modern(found)
    if not isinstance(found, dict) or found.get("version") != RUN_VERSION:
        version = found.get("version") if isinstance(found, dict) else None
        raise RunError(
            f"{path}: made by another version of the lab ({version}, this one reads "
            f"{RUN_VERSION}); use that version, or run the comparison again"
        )
    return renamed_budget(found)


def _experiment(folder: Path, name: str, document: object) -> Experiment:
    if not isinstance(document, dict):
        raise RunError(f"{folder / 'run.json'}: experiments.{name} is not a table")
    try:
        return parse(name, document, where=f"{folder / 'run.json'}: experiments.{name}")
    except ExperimentError as error:
        raise RunError(str(error)) from None


def _as_planned(experiment: Experiment, planned: Mapping[str, Any] | None) -> Experiment:
    """The experiment with the services, levels and rounds that this run had of it."""
    if planned is None:
        return experiment
    return replace(
        experiment,
        services=tuple(planned["services"]),
        levels=tuple(each for each in experiment.levels if each.label in planned["levels"]),
        rounds=planned["rounds"],
        looks=tuple(planned["looks"]),
    )


def _trials(folder: Path) -> list[Trial]:
    try:
        return records.read(folder / "trials.jsonl")
    except FileNotFoundError:
        return []
    except TrialsError as error:
        raise RunError(str(error)) from None
