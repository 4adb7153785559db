"""What a comparison of the user's own services has found, and whether it met a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loadtest.analysis.findings import Finding
from loadtest.analysis.verdict import Check, State
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial

IS_MET, TROUBLE = 1, 2  # exit codes
_BECAME: Mapping[State, str] = {
    "fails": "is so",
    "holds": "is not so",
    "open": "is not decided",
    "not measured": "was not measured",
}


def condition(check: Check) -> str:
    """A condition and what became of it: `B < 0.95 A is so: B ÷ A, 16 connections: 0.90 × (…)`."""
    seen = f": {check.measured}" if check.figure else ""
    return f"{check.criterion.says} {_BECAME[check.state]}{seen}"


def met(checks: Sequence[Check]) -> list[Check]:
    """Those conditions that are met, so that the command fails."""
    return [check for check in checks if check.state == "fails"]


def told(finding: Finding) -> str:
    """A finding with the load that it holds for."""
    return f"{finding.level}: {finding.sentence}"


def missing(
    experiment: Experiment, trials: Sequence[Trial], attempts: Sequence[Trial]
) -> list[str]:
    """A line for each service of which no trial counts, with the check that failed most lately."""
    measured = {trial.service for trial in trials}
    return [
        f"{name} was not measured{_why(name, attempts)}"
        for name in experiment.services
        if name not in measured
    ]


def _why(name: str, attempts: Sequence[Trial]) -> str:
    own = [trial for trial in attempts if trial.service == name]
    failed = [gate for trial in own[-1:] for gate in trial.gates if not gate.passed]
    return f": {failed[0].name}: {failed[0].detail}" if failed else ""


def exit_code(checks: Sequence[Check], lacking: Sequence[str]) -> int:
    """1 where a condition is met, 2 where something could not be measured, else 0."""
    if met(checks):
        return IS_MET
    unknown = any(check.state == "not measured" for check in checks)
    return TROUBLE if lacking or unknown else 0


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
