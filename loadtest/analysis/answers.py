"""What an experiment answers, for a reader who wants one sentence: condition, figure, reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.analysis import words
from loadtest.analysis.amounts import amount
from loadtest.analysis.claims import Check, Claim
from loadtest.analysis.findings import Finding, sentence
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.stats.inference import INTERVAL_ROUNDS


@dataclass(frozen=True)
class Lead:
    """One figure with its interval (`finding`), when it holds, and why it is so.

    `compares`: it sets two services beside each other. `elsewhere`: what another budget allows.
    """

    condition: str
    finding: str
    reason: str
    compares: bool
    elsewhere: str = ""

    @property
    def text(self) -> str:
        """The answer as running text."""
        reason = f" Reason: {self.reason}." if self.reason else ""
        return f"{self.condition}: {self.finding}.{reason}"


def answer(
    experiment: Experiment,
    claims: Sequence[Claim],
    findings: Sequence[Finding],
    trials: Sequence[Trial],
) -> Lead | None:
    """The first criterion that compares two services, else the first that has an interval."""
    checks = [check for claim in claims for check in claim.checks if _told(check)]
    compared = [check for check in checks if check.criterion.ratio and _of_load(check)]
    chosen = next(iter(compared or checks), None)
    if chosen is None:
        return None
    found = _finding(chosen, findings)
    said = (
        _sentence(chosen, found)
        if found
        else f"measured for {words.who(chosen)}: {words.figure(chosen)}"
    )
    return Lead(_condition(experiment, chosen, trials), said, chosen.reason, found is not None)


def _told(check: Check) -> bool:
    return check.figure is not None and check.figure.rounds >= INTERVAL_ROUNDS


def _of_load(check: Check) -> bool:
    return not MEASURES[check.criterion.measure].growth


def _finding(check: Check, findings: Sequence[Finding]) -> Finding | None:
    return next((each for each in findings if each.answers(check.criterion)), None)


def _sentence(check: Check, found: Finding) -> str:
    service, reference = (check.names.get(each, each) for each in (found.service, found.reference))
    return sentence(found.measure, service, reference, found.ratio, found.p_adjusted)


def _condition(experiment: Experiment, check: Check, trials: Sequence[Trial]) -> str:
    """`128 clients at once, each waits 100 ms in Postgres`."""
    label = check.criterion.level
    trial = next((each for each in trials if each.level == label), None)
    if trial is None:
        return f"{len(experiment.levels)} levels of load"
    clients, rate = trial.load.connections, trial.load.rate_rps
    parts = [f"{clients:,} client{'s'[: clients != 1]} at once"]
    if rate:
        parts = [f"{amount(rate)} requests a second"]
    if not label.endswith(("connection", "connections")):
        parts.append(label)
    if trial.scenario == "wait" and "ms" in trial.parameters:
        parts.append(f"each waits {trial.parameters['ms']:,} ms in Postgres")
    return ", ".join(parts)
