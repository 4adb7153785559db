"""What else an experiment tells of each service at each level, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.analysis.amounts import amount
from loadtest.analysis.observations import by_round, stage_of
from loadtest.model.experiment import Experiment, Level
from loadtest.model.trial import Trial
from loadtest.plan.figures.measure import Measure
from loadtest.plan.measures import MEASURES
from loadtest.report.charts.style import Listing
from loadtest.stats.inference import INTERVAL_ROUNDS, interval


def told(experiment: Experiment, trials: Sequence[Trial]) -> Listing | None:
    """The measure and those that the experiment tells beside it, each with its 95 % interval.

    A slope belongs to no level: it has a chart and a table of its own.
    """
    names = dict.fromkeys((experiment.measure, *experiment.tells))
    measures = [MEASURES[name] for name in names if not MEASURES[name].growth]
    if not trials or not any(each.name in experiment.tells for each in measures):
        return None
    rows = tuple(
        (
            service,
            level.label,
            *(_cell(experiment, trials, each, service, level) for each in measures),
            str(len({t.round for t in trials if (t.arm, t.level) == (service, level.label)})),
        )
        for level in experiment.levels
        for service in experiment.services
        if service not in level.without
    )
    return Listing(("Service", "At", *(_heading(each) for each in measures), "Rounds"), rows)


def _heading(measure: Measure) -> str:
    """`p99, ms`; what says it all, and a ratio, stands alone."""
    short = measure.unit.partition(" ")[0]
    return measure.noun if short == "×" or short in measure.noun else f"{measure.noun}, {short}"


def _cell(
    experiment: Experiment, trials: Sequence[Trial], measure: Measure, service: str, level: Level
) -> str:
    values = list(by_round(trials, measure.name, level.label, service).values())
    if not values:
        return "–"
    ratios = not measure.share and min(values) > 0
    stage = stage_of(experiment, {level.label}, {service}, trials)
    mean, low, high = interval(values, logarithmic=ratios, share=measure.share, stage=stage)
    if len(values) < INTERVAL_ROUNDS:
        return amount(measure.shown(mean))
    return " ".join(
        (
            amount(measure.shown(mean)),
            f"({'–'.join(amount(measure.shown(e)) for e in (low, high))})",
        )
    )
