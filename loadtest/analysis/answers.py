"""What an experiment answers, for a reader who wants one sentence: condition, figure, reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from loadtest.analysis import verdict
from loadtest.analysis.amounts import amount
from loadtest.analysis.claims import ratio, stage_for
from loadtest.analysis.findings import Finding, sentence
from loadtest.analysis.names import NO_NAMES
from loadtest.analysis.reasons import reason
from loadtest.analysis.verdict import Check, Claim
from loadtest.model.counts import number_of
from loadtest.model.criterion import Criterion
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.stats.inference import INTERVAL_ROUNDS

CPU_BOUND = 0.7  # of a core, from which on its CPU is what limits a service


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
        return None if experiment.claim else _of_findings(experiment, findings, trials)
    found = _finding(chosen, findings)
    said = _sentence(chosen, found) if found else _across(experiment, chosen, trials)
    condition = _condition(experiment, chosen.criterion, trials)
    told = said or f"measured for {verdict.who(chosen)}: {verdict.figure(chosen)}"
    return Lead(condition, told, chosen.reason, bool(said))


def _across(experiment: Experiment, check: Check, trials: Sequence[Trial]) -> str:
    """The sentence of a criterion that compares two levels; empty for any other."""
    criterion = check.criterion
    if not criterion.reference_level:
        return ""
    found = ratio(criterion, trials, stage_for(experiment, criterion, trials))
    one, other = verdict.sides(criterion, check.names)
    return sentence(criterion.measure, one, other, found, found.p_different if found else 1.0)


def _of_findings(
    experiment: Experiment, findings: Sequence[Finding], trials: Sequence[Trial]
) -> Lead | None:
    """Where no claim is on trial: the largest difference at the last load that has an interval."""
    told = [each for each in findings if each.ratio and each.rounds >= INTERVAL_ROUNDS]
    labels = [level.label for level in experiment.levels]
    last = max((labels.index(each.level) for each in told), default=-1)
    at = [each for each in told if each.level == labels[last]]
    if not at:
        return None
    found = max(at, key=lambda each: abs(math.log(each.ratio.value)) if each.ratio else 0.0)
    compared = Criterion("", "", found.service, found.measure, found.level, found.reference)
    seen = (found.ratio.low, found.ratio.high) if found.ratio else None
    why = reason(compared, trials, NO_NAMES, seen) if _full(compared, trials) else ""
    return Lead(_condition(experiment, compared, trials), found.sentence, why, compares=True)


def _told(check: Check) -> bool:
    return check.figure is not None and check.figure.rounds >= INTERVAL_ROUNDS


def _of_load(check: Check) -> bool:
    return not MEASURES[check.criterion.measure].growth


def _finding(check: Check, findings: Sequence[Finding]) -> Finding | None:
    return next((each for each in findings if each.answers(check.criterion)), None)


def _sentence(check: Check, found: Finding) -> str:
    service, reference = (check.names.get(each, each) for each in (found.service, found.reference))
    return sentence(found.measure, service, reference, found.ratio, found.p_adjusted)


def _full(compared: Criterion, trials: Sequence[Trial]) -> bool:
    """Whether both services used a core up: only then does the CPU of a request explain."""
    for arm in (compared.service, compared.reference):
        used = [
            (MEASURES["service_cpu_us"].value(trial) or 0.0) * trial.result.goodput_rps / 1e6
            for trial in trials
            if (trial.arm, trial.level) == (arm, compared.level)
        ]
        if not used or median(used) < CPU_BOUND:
            return False
    return True


def _condition(experiment: Experiment, asked: Criterion, trials: Sequence[Trial]) -> str:
    """`128 clients at once, each waits 100 ms in Postgres`."""
    label = asked.level
    trial = next((each for each in trials if each.level == label), None)
    if trial is None:
        first, last = experiment.levels[0].label, experiment.levels[-1].label
        return f"From {first} to {last}" if first != last else first
    clients, rate = trial.load.connections, trial.load.rate_rps
    parts = [f"{number_of(clients, 'client')} at once"]
    if rate:
        parts = [f"{amount(rate)} requests a second"]
    if asked.reference_level:  # the sentence names both levels
        parts.append(asked.service)
    elif not label.endswith(("connection", "connections")):
        parts.append(label)
    if trial.scenario == "wait" and "ms" in trial.parameters:
        parts.append(f"each waits {trial.parameters['ms']:,} ms in Postgres")
    return ", ".join(parts)
