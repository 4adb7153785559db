"""A service compared with its reference, as far as the figures allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from loadtest.analysis.amounts import percent, times
from loadtest.analysis.observations import by_round, stage_of
from loadtest.model.counts import agree, number_of
from loadtest.model.criterion import Criterion
from loadtest.model.experiment import Experiment
from loadtest.model.trial import TWIN, Trial
from loadtest.plan.figures.measure import Measure
from loadtest.plan.measures import MEASURES
from loadtest.stats.inference import ALPHA, INTERVAL_ROUNDS, MARGIN, Ratio, compare, holm

Outcome = Literal["more", "less", "equivalent", "inconclusive", "not measured"]


@dataclass(frozen=True)
class Finding:
    """A service against its reference at one level. `p_adjusted`: Holm's, over the services."""

    experiment: str
    level: str
    measure: str
    service: str
    reference: str
    ratio: Ratio | None
    p_adjusted: float

    @property
    def rounds(self) -> int:
        """How many rounds it stands on."""
        return self.ratio.rounds if self.ratio else 0

    @property
    def outcome(self) -> Outcome:
        """more, less, equivalent, inconclusive or not measured."""
        return outcome(self.ratio, self.p_adjusted)

    def answers(self, criterion: Criterion) -> bool:
        """Whether it compares what the criterion compares."""
        own, other = ((each, self.level) for each in (self.service, self.reference))
        return criterion.measure == self.measure and criterion.sides == (own, other)

    @property
    def one_of_several(self) -> bool:
        """Whether it is open only because other services are compared beside it."""
        enough = self.ratio is not None and self.rounds >= INTERVAL_ROUNDS
        return self.outcome == "inconclusive" and enough and _one_of_several(self.ratio)

    @property
    def short(self) -> str:
        """The finding for a table, where its figures stand beside it."""
        told = {"more": "more", "less": "less", "equivalent": f"alike within ±{MARGIN:.0%}"}
        if self.ratio is None or self.outcome in told:
            return told.get(self.outcome, "not measured").replace("%", " %")
        if self.rounds < INTERVAL_ROUNDS:
            return "too few rounds"
        if self.one_of_several:
            return "open, as one of several (Holm)"
        return f"open; could see {effect(self.ratio.detectable)}"

    @property
    def sentence(self) -> str:
        """The finding as one sentence."""
        return sentence(self.measure, self.service, self.reference, self.ratio, self.p_adjusted)


def outcome(ratio: Ratio | None, p_adjusted: float) -> Outcome:
    """Equivalence comes first: a difference that is sure but within ±5 % is not worth a winner."""
    if ratio is None:
        return "not measured"
    if ratio.rounds < INTERVAL_ROUNDS:
        return "inconclusive"
    if ratio.equivalent:
        return "equivalent"
    if p_adjusted < ALPHA:
        return "more" if ratio.value > 1 else "less"
    return "inconclusive"


def sentence(
    measure: str, service: str, reference: str, ratio: Ratio | None, p_adjusted: float
) -> str:
    """The finding as a sentence. Nothing else in the lab names a winner."""
    found = outcome(ratio, p_adjusted)
    if ratio is None or found == "not measured":
        return f"Not measured: too few rounds in which both {service} and {reference} count"
    if found == "equivalent":
        return (
            f"No meaningful difference between {service} and {reference} "
            f"(within ±{MARGIN:.0%}, {number_of(ratio.rounds, 'round')})"
        ).replace("%", " %")
    if ratio.rounds < INTERVAL_ROUNDS:
        few = f"{number_of(ratio.rounds, 'round')} {agree(ratio.rounds, 'is', 'are')} too few"
        return f"Inconclusive between {service} and {reference}: {few}"
    if found == "inconclusive" and _one_of_several(ratio):
        return (
            f"Inconclusive between {service} and {reference}: among several comparisons, one may "
            "look like this by chance (Holm)"
        )
    if found == "inconclusive":
        return (
            f"Inconclusive between {service} and {reference}: "
            f"this run could only detect about {effect(ratio.detectable)}"
        )
    if ratio.value <= 0.5:
        return _difference(MEASURES[measure], reference, service, ratio.inverse())
    return _difference(MEASURES[measure], service, reference, ratio)


def _one_of_several(ratio: Ratio | None) -> bool:
    """Whether its own interval leaves out 1: it is open only beside the other comparisons."""
    return ratio is not None and (ratio.low > 1 or ratio.high < 1)


def _difference(words: Measure, a: str, b: str, ratio: Ratio) -> str:
    if ratio.value >= 2:
        amount = times(ratio.value)
        interval = f"{times(ratio.low)}–{times(ratio.high)} times"
        said = words.times.format(a=a, b=b, x=amount)
    elif ratio.value > 1:
        interval = f"{percent(ratio.low - 1)}–{percent(ratio.high - 1)} %"
        said = words.more.format(a=a, b=b, x=f"{percent(ratio.value - 1)} %")
    else:
        interval = f"{percent(1 - ratio.high)}–{percent(1 - ratio.low)} %"
        said = words.less.format(a=a, b=b, x=f"{percent(1 - ratio.value)} %")
    return f"{said} (95 % CI {interval}, {number_of(ratio.rounds, 'round')})"


def effect(share: float) -> str:
    """A difference as text: `31 %`, `a factor of 3.1`."""
    return f"a factor of {times(1 + share)}" if share >= 2 else f"{percent(share)} %"


def against_reference(experiment: Experiment, trials: Sequence[Trial]) -> list[Finding]:
    """Each service against the reference at each level, Holm over the services of a level."""
    if MEASURES[experiment.measure].growth:
        return []
    services = [service for service in experiment.services if service != experiment.reference]
    return [
        finding
        for level in experiment.levels
        for finding in _judged(experiment, trials, level.label, services)
    ]


def against_itself(
    experiments: Iterable[Experiment], trials: Mapping[str, list[Trial]]
) -> list[Finding]:
    """The reference services against themselves (A/A), Holm over the whole run."""
    found = [
        _finding(
            experiment, trials.get(experiment.name, []), level.label, experiment.reference + TWIN
        )
        for experiment in experiments
        if not MEASURES[experiment.measure].growth
        for level in experiment.levels
    ]
    return _adjusted([finding for finding in found if finding.ratio])


def stable(findings: Iterable[Finding]) -> bool:
    """Whether no service was found to differ from itself."""
    return not any(finding.outcome in ("more", "less") for finding in findings)


def _judged(
    experiment: Experiment, trials: Sequence[Trial], level: str, services: Sequence[str]
) -> list[Finding]:
    return _adjusted([_finding(experiment, trials, level, service) for service in services])


def _finding(experiment: Experiment, trials: Sequence[Trial], level: str, arm: str) -> Finding:
    values = by_round(trials, experiment.measure, level, arm)
    against = by_round(trials, experiment.measure, level, experiment.reference)
    stage = stage_of(experiment, {level}, {arm, experiment.reference}, trials)
    ratio = compare(values, against, stage)
    p = ratio.p_different if ratio else 1.0
    return Finding(experiment.name, level, experiment.measure, arm, experiment.reference, ratio, p)


def _adjusted(findings: Sequence[Finding]) -> list[Finding]:
    p_values = {
        str(place): finding.p_adjusted for place, finding in enumerate(findings) if finding.ratio
    }
    adjusted = holm(p_values)
    return [
        Finding(**{**vars(finding), "p_adjusted": adjusted.get(str(place), 1.0)})
        for place, finding in enumerate(findings)
    ]
