"""What was measured so far of each service at each level, while a run goes on or after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, geometric_mean

from loadtest.analysis.observations import by_round
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES


@dataclass(frozen=True)
class Standing:
    """A service at one level: the mean over its rounds so far, and what slots ÷ wait foretells.

    Both in the unit of the measure's values; `rounds` are those that have a value.
    """

    service: str
    level: str
    figure: float | None
    foretold: float | None
    rounds: int


def standings(experiment: Experiment, trials: Sequence[Trial], level: str = "") -> list[Standing]:
    """Each service at each level, or at `level` alone; those without a trial have no figure."""
    return [
        _standing(experiment, trials, service, each.label)
        for each in experiment.levels
        if level in ("", each.label)
        for service in experiment.services
        if service not in each.without
    ]


def _standing(
    experiment: Experiment, trials: Sequence[Trial], service: str, level: str
) -> Standing:
    measure = MEASURES[experiment.measure]
    values = list(by_round(trials, measure.name, level, service).values())
    own = [trial for trial in trials if (trial.arm, trial.level) == (service, level)]
    foretold = measure.foretold(own[0].prediction, own[0].load) if own else None
    figure = None
    if values:
        ratios = not measure.share and min(values) > 0
        figure = measure.shown(geometric_mean(values) if ratios else fmean(values))
    return Standing(service, level, figure, foretold, len(values))
