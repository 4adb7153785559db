"""What the figures so far decide, and where more rounds are worth their time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loadtest.analysis import claims
from loadtest.analysis.findings import against_reference
from loadtest.analysis.observations import by_round, growth_by_round
from loadtest.analysis.verdict import Check
from loadtest.model.criterion import Criterion
from loadtest.model.experiment import Experiment, Looked
from loadtest.model.trial import Trial
from loadtest.plan import sequential
from loadtest.plan.measures import MEASURES
from loadtest.stats.inference import ALPHA
from loadtest.stats.sequential import spent

Open = tuple[str, str]  # a level, and an arm that it is open for


def look(experiment: Experiment, trials: Sequence[Trial], rounds: int) -> Looked:
    """Look at an experiment's figures after `rounds` rounds, a number that its design names."""
    seen = [trial for trial in trials if trial.round <= rounds]
    return Looked(rounds, spent(rounds / experiment.looks[-1], ALPHA), undecided(experiment, seen))


def undecided(experiment: Experiment, trials: Sequence[Trial]) -> dict[str, tuple[str, ...]]:
    """Levels at which a criterion, or a comparison that is told, is open, with its services.

    What has no figure at all, as a percentile of too few requests, no further round will decide.
    """
    waiting = {*_criteria(experiment, trials), *_comparisons(experiment, trials)}
    found = {
        level.label: tuple(each for each in experiment.services if (level.label, each) in waiting)
        for level in experiment.levels
    }
    return {level: services for level, services in found.items() if services}


def _criteria(experiment: Experiment, trials: Sequence[Trial]) -> Iterable[Open]:
    for check in claims.checks(experiment, trials):
        missing = check.figure is None and _begun(trials, check)
        if check.state == "open" or missing:
            yield from _needed(experiment, check.criterion)


def _needed(experiment: Experiment, criterion: Criterion) -> Iterable[Open]:
    """What a criterion is decided by: of a slope every level of its services."""
    if not MEASURES[criterion.measure].growth:
        return [(level, arm) for arm, level in criterion.sides]
    levels = sequential.levels_of(experiment, criterion)
    return [(level, arm) for level in levels for arm, _ in criterion.sides]


def _begun(trials: Sequence[Trial], check: Check) -> bool:
    """Whether there is a value of what a criterion needs, only too few of them.

    Of a ratio both sides have to grow: no further round gives a sign to one that does not.
    """
    criterion = check.criterion
    if MEASURES[criterion.measure].growth:  # one load that is taken up draws no line
        lines = [growth_by_round(trials, criterion.measure, arm) for arm, _ in criterion.sides]
        grow = all(each.slope > 0 for found in lines for each in found.values())
        return all(lines) and (grow or not criterion.ratio)
    return all(by_round(trials, criterion.measure, level, arm) for arm, level in criterion.sides)


def _comparisons(experiment: Experiment, trials: Sequence[Trial]) -> Iterable[Open]:
    """Levels and services whose comparisons are told and are open.

    The first criterion's, if it compares two services, is the title of the experiment's first
    chart. Where no claim has one, every comparison is told.
    """
    first = next(iter(experiment.of_claims), None)
    for finding in against_reference(experiment, trials):
        told = first is None or (first.ratio and finding.answers(first))
        if told and finding.outcome == "inconclusive":
            yield finding.level, finding.service
            yield finding.level, finding.reference
