"""Published ratios beside those that slots predict and those that were measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from loadtest.analysis.amounts import times
from loadtest.analysis.findings import Finding
from loadtest.analysis.observations import by_round
from loadtest.model.experiment import Experiment
from loadtest.model.published import Published, PublishedFigure
from loadtest.model.trial import Trial
from loadtest.report.charts.style import Listing
from loadtest.report.published.expected import Place, observed
from loadtest.stats.inference import INTERVAL_ROUNDS

HERE = "Measured here (95 % CI)"
CPU = "service_cpu_us"  # the measure that stands beside every ratio
Reading = tuple[str, str, str]  # label of a level, name of a service, name of a measure


@dataclass(frozen=True)
class MeasuredRatio:
    """A service ÷ the reference at one level, as a run of the lab has it."""

    value: float
    low: float
    high: float
    rounds: int

    @property
    def text(self) -> str:
        """`3.6 × (3.5–3.7)`."""
        interval = f"{times(self.low)}–{times(self.high)}"
        told = interval if self.rounds >= INTERVAL_ROUNDS else "too few rounds"
        return f"{times(self.value)} × ({told})"


@dataclass(frozen=True)
class Compared:
    """One published figure as a ratio to the reference's, with what stands beside it.

    `published` and `predicted` are ratios. `predicted` is None where slots decide nothing.
    """

    figure: PublishedFigure
    published: float
    predicted: float | None
    measured: MeasuredRatio | None


def compared(
    experiment: Experiment,
    published: Published,
    predicted: Mapping[Place, float],
    measured: Mapping[Place, MeasuredRatio],
) -> list[Compared]:
    """Every figure but the reference's own. `predicted`: requests/s by place."""
    return [
        Compared(
            figure,
            figure.value / base.value,
            ratio(predicted, figure.level, figure.service, experiment.reference),
            measured.get((figure.level, figure.service)),
        )
        for level in published.levels
        for base in published.at(level)
        if base.service == experiment.reference
        for figure in published.at(level)
        if figure.service != experiment.reference
    ]


def ratio(rps: Mapping[Place, float], level: str, service: str, reference: str) -> float | None:
    """A service ÷ the reference at one level; None where either has no figure."""
    own, other = rps.get((level, service)), rps.get((level, reference))
    return own / other if own and other else None


def measured_ratios(findings: Iterable[Finding]) -> dict[Place, MeasuredRatio]:
    """The ratios of a run to its reference, by place."""
    return {
        (each.level, each.service): MeasuredRatio(
            each.ratio.value, each.ratio.low, each.ratio.high, each.ratio.rounds
        )
        for each in findings
        if each.ratio
    }


def measured_values(experiment: Experiment, trials: Sequence[Trial]) -> dict[Reading, float]:
    """The CPU that a request took and what the experiment tells: the middle of its rounds each."""
    return {
        (level.label, service, measure): median(found)
        for measure in dict.fromkeys((CPU, *experiment.tells))
        for level in experiment.levels
        for service in experiment.services
        if (found := by_round(trials, measure, level.label, service).values())
    }


def table(
    experiment: Experiment, trials: Sequence[Trial], findings: Sequence[Finding]
) -> Listing | None:
    """Published, predicted and measured ratios of a run; None where nothing was published."""
    published = experiment.published
    if published is None:
        return None
    predicted, measured = observed(trials), measured_ratios(findings)
    rows = [
        (
            each.figure.service,
            each.figure.level,
            f"{times(each.published)} ×",
            by_slots(each.predicted),
            each.measured.text if each.measured else "not measured",
            each.figure.was,
            as_published(each.figure.value),
        )
        for each in compared(experiment, published, predicted, measured)
    ]
    rows += [
        (service, level, "–", by_slots(expected), found.text, "the counter-proof", "–")
        for (level, service), found in measured.items()
        if level == published.counter_proof
        for expected in [ratio(predicted, level, service, experiment.reference)]
    ]
    headers = ("Service", "Level", "Published ratio", "Predicted", HERE, "Ran there")
    return Listing((*headers, f"Published {published.unit}"), tuple(rows))


def as_published(value: float) -> str:
    """A published figure with all the digits that it has."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,}"


def by_slots(expected: float | None) -> str:
    """A predicted ratio as a table has it."""
    return f"{times(expected)} ×" if expected else "–"
