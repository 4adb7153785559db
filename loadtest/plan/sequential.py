"""How many rounds an experiment gets: looks after stated rounds, and levels that nothing waits for.

A level that decides nothing has as many rounds as the first look needs. One that decides something
goes on until it is decided, up to the experiment's limit.
"""

from __future__ import annotations

from collections.abc import Collection

from loadtest.model.criterion import Criterion
from loadtest.model.experiment import Experiment
from loadtest.plan.measures import MEASURES
from loadtest.stats.sequential import FIXED, Stage

STATED_LOOKS = (3, 4, 6, 8, 12)
USUAL_ROUNDS = 4  # of a level that decides something, on a quiet machine; for estimates


def looks_within(most: int) -> tuple[int, ...]:
    """The looks of an experiment of at most so many rounds; none where there could be but one."""
    found = (*(rounds for rounds in STATED_LOOKS if rounds < most), most)
    return found if len(found) > 1 else ()


def deciding(experiment: Experiment) -> frozenset[str]:
    """Labels of the levels that decide something: those of the criteria, else all of them."""
    labels = frozenset(level.label for level in experiment.levels)
    named = [levels_of(experiment, each) for each in experiment.criteria]
    return labels & frozenset[str]().union(*named) if experiment.of_claims else labels


def levels_of(experiment: Experiment, criterion: Criterion) -> frozenset[str]:
    """Labels of the levels that a criterion is decided at: all of them for a slope."""
    if MEASURES[criterion.measure].growth:
        return frozenset(level.label for level in experiment.levels)
    return frozenset(level for _, level in criterion.sides)


def stage(experiment: Experiment, levels: Collection[str], rounds: int) -> Stage:
    """The look that so many rounds at `levels` stand for.

    Rounds between two looks are taken for a look of their own, which Lan & DeMets allow. Where the
    number of rounds depends on nothing that was seen, the design is a fixed one. So is that of a
    single round, which has no scatter to look at.
    """
    looks = experiment.looks
    if not looks or rounds < 2 or not deciding(experiment).intersection(levels):
        return FIXED
    now = min(rounds, looks[-1])
    before = tuple(each for each in looks if each < now)
    after = tuple(each for each in looks[-1:] if each > now)
    return Stage((*before, now, *after), len(before) + 1)


def usual(experiment: Experiment, level: str, seen: int = 0) -> int:
    """How many rounds a level takes, as a rule, if it was open at the look after `seen` rounds."""
    looks = experiment.looks
    if not looks:
        return experiment.rounds
    if level not in deciding(experiment):
        return looks[0]
    return next((each for each in looks if each > seen and each >= USUAL_ROUNDS), looks[-1])
