"""What a comparison of the user's own services has found, and whether it met a condition."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from loadtest.analysis.findings import Finding
from loadtest.analysis.observations import by_round
from loadtest.analysis.verdict import Check, State
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES

IS_MET, TROUBLE = 1, 2  # exit codes
_HOW_LONG = "--seconds, in a file: duration_s"
_BECAME: Mapping[State, str] = {
    "fails": "is so",
    "holds": "is not so",
    "open": "is not decided",
    "not measured": "was not measured",
}


def condition(check: Check) -> str:
    """A condition and what became of it: `B < 0.95 A is so: B ÷ A, 16 connections: 0.90 × (…)`."""
    seen = f": {check.measured}" if check.figure else ""
    if check.state == "not measured" and check.ran > 1:
        seen = _too_few(check.criterion.measure)
    return f"{check.criterion.says} {_BECAME[check.state]}{seen}"


def met(checks: Sequence[Check]) -> list[Check]:
    """Those conditions that are met, so that the command fails."""
    return [check for check in checks if check.state == "fails"]


def unknown(checks: Sequence[Check]) -> list[Check]:
    """Those conditions that nobody can judge, as their figures could not be measured."""
    return [check for check in checks if check.state == "not measured"]


def told(finding: Finding) -> str:
    """A finding with the load that it holds for."""
    return f"{finding.level}: {finding.sentence}"


def missing(
    experiment: Experiment, trials: Sequence[Trial], attempts: Sequence[Trial]
) -> list[str]:
    """A line for each service without a figure at one of the loads, with the reason."""
    return [
        line for name in experiment.services for line in _lacks(experiment, name, trials, attempts)
    ]


def _lacks(
    experiment: Experiment, name: str, trials: Sequence[Trial], attempts: Sequence[Trial]
) -> Iterator[str]:
    """Where no trial counts, with the check that failed most lately; and where figures lack."""
    measure, labels = experiment.measure, [level.label for level in experiment.levels]
    counted = {trial.level for trial in trials if trial.service == name}
    absent = [label for label in labels if label not in counted]
    if absent:
        where = f" at {', '.join(absent)}" if counted else ""
        yield f"{name} was not measured{where}{_why(name, absent, attempts)}"
    without = [
        each for each in labels if each in counted and not _known(trials, measure, each, name)
    ]
    if without:
        at = ", ".join(without)
        yield f"{name} has no {MEASURES[measure].noun} at {at}{_too_few(measure)}"


def _known(trials: Sequence[Trial], measure: str, label: str, name: str) -> bool:
    return bool(by_round(trials, measure, label, name))


def _too_few(measure: str) -> str:
    """Why a percentile has no value, and what to do."""
    if not MEASURES[measure].percentile:
        return ""
    return f": too few answers, or too many waited; make windows longer ({_HOW_LONG})"


def _why(name: str, levels: Collection[str], attempts: Sequence[Trial]) -> str:
    own = [trial for trial in attempts if trial.service == name and trial.level in levels]
    failed = [gate for trial in own[-1:] for gate in trial.gates if not gate.passed]
    return f": {failed[0].name}: {failed[0].detail}" if failed else ""


def exit_code(checks: Sequence[Check], lacking: Sequence[str]) -> int:
    """1 where a condition is met, 2 where something could not be measured, else 0."""
    if met(checks):
        return IS_MET
    return TROUBLE if lacking or unknown(checks) else 0


def as_records(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """The conditions as verdicts.json has them."""
    return [
        {
            "condition": check.criterion.says,
            "level": check.criterion.level,
            "met": {"fails": True, "holds": False}.get(check.state),
            "value": check.figure.value if check.figure else None,
            "interval": [check.figure.low, check.figure.high] if check.figure else None,
            "sentence": condition(check),
        }
        for check in checks
    ]
