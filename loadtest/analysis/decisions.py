"""What the figures so far decide, and where more rounds are worth their time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from loadtest.analysis import claims
from loadtest.analysis.findings import Finding, against_reference
from loadtest.analysis.observations import by_round, growth_by_round
from loadtest.analysis.verdict import Check
from loadtest.model.criterion import Criterion
from loadtest.model.experiment import Experiment, Looked
from loadtest.model.trial import Trial
from loadtest.plan import sequential
from loadtest.plan.measures import MEASURES
from loadtest.stats.inference import ALPHA
from loadtest.stats.sequential import spent

Place = tuple[str, str]  # a level, and an arm


def look(
    experiment: Experiment, trials: Sequence[Trial], rounds: int, before: Looked | None = None
) -> Looked:
    """Look at an experiment's figures after `rounds` rounds, a number that its design names.

    `before`: the last look. What was decided then has no further rounds, and stays so.
    """
    seen = [trial for trial in trials if trial.round <= rounds]
    going = None if before is None else places_of(before.open)
    found = undecided(experiment, seen, going)
    return Looked(rounds, spent(rounds / experiment.looks[-1], ALPHA), found)


def places_of(levels: Mapping[str, Collection[str]]) -> frozenset[Place]:
    """Each level with each of its arms."""
    return frozenset((level, arm) for level, arms in levels.items() for arm in arms)


def undecided(
    experiment: Experiment, trials: Sequence[Trial], going: Collection[Place] | None = None
) -> dict[str, tuple[str, ...]]:
    """Levels at which a criterion, or a comparison that is told, is open, with its services.

    What has no figure at all, as a percentile of too few requests, no further round will decide.
    Nor what needs one that is not `going` on; None: all are.
    """
    asked = (*_criteria(experiment, trials), *_comparisons(experiment, trials))
    waiting = {
        place for needed in asked if going is None or needed <= frozenset(going) for place in needed
    }
    found = {
        level.label: tuple(each for each in experiment.services if (level.label, each) in waiting)
        for level in experiment.levels
    }
    return {level: services for level, services in found.items() if services}


def _criteria(experiment: Experiment, trials: Sequence[Trial]) -> Iterable[frozenset[Place]]:
    """What each open criterion is decided by."""
    for check in claims.checks(experiment, trials):
        missing = check.figure is None and _begun(trials, check)
        if check.state == "open" or missing:
            yield frozenset(_needed(experiment, check.criterion))


def _needed(experiment: Experiment, criterion: Criterion) -> Iterable[Place]:
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


def _comparisons(experiment: Experiment, trials: Sequence[Trial]) -> Iterable[frozenset[Place]]:
    """What each comparison that is told and open is decided by.

    The first criterion's, if it compares two services, is the title of the experiment's first
    chart. Where no claim has one, every comparison is told.
    """
    first = next(iter(experiment.of_claims), None)
    for finding in against_reference(experiment, trials):
        told = first is None or (first.ratio and finding.answers(first))
        if told and (finding.outcome == "inconclusive" or _too_few(finding, trials)):
            yield frozenset((finding.level, arm) for arm in (finding.service, finding.reference))
        if told and finding.one_of_several:  # the others' rounds decide it, too
            yield frozenset(
                (finding.level, arm)
                for arm in experiment.services
                if any((t.level, t.arm) == (finding.level, arm) for t in trials)
            )


def _too_few(finding: Finding, trials: Sequence[Trial]) -> bool:
    """Whether both have a value, only too few in the same rounds."""
    arms = finding.service, finding.reference
    return finding.ratio is None and all(
        by_round(trials, finding.measure, finding.level, arm) for arm in arms
    )
