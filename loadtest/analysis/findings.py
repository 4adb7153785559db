"""From numbers to a sentence that does not overclaim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from loadtest.analysis.observations import by_round
from loadtest.model.experiment import Experiment
from loadtest.model.trial import TWIN, Trial
from loadtest.plan.criteria import SLOPES
from loadtest.stats.inference import ALPHA, FEWEST_ROUNDS, MARGIN, Comparison, compare, holm

Outcome = Literal["more", "less", "equivalent", "inconclusive", "not measured"]


@dataclass(frozen=True)
class Finding:
    """A service against its reference at one level. `p_adjusted` is Holm's, over the services
    there.
    """

    experiment: str
    level: str
    measure: str
    service: str
    reference: str
    comparison: Comparison | None
    p_adjusted: float

    @property
    def rounds(self) -> int:
        """How many rounds it stands on."""
        return self.comparison.rounds if self.comparison else 0

    @property
    def outcome(self) -> Outcome:
        """What may be said of it."""
        return outcome(self.comparison, self.p_adjusted)

    @property
    def sentence(self) -> str:
        """It, said."""
        return sentence(
            self.measure, self.service, self.reference, self.comparison, self.p_adjusted
        )


@dataclass(frozen=True)
class _Words:
    more: str
    less: str
    times: str


_WORDS: Mapping[str, _Words] = {
    "goodput_rps": _Words(
        "{a} handled {x} more requests/s than {b}",
        "{a} handled {x} fewer requests/s than {b}",
        "{a} handled {x} times as many requests/s as {b}",
    ),
    "p50_ms": _Words(
        "{a} took {x} longer than {b} at the median",
        "{a} took {x} less time than {b} at the median",
        "{a} took {x} times as long as {b} at the median",
    ),
    "p99_ms": _Words(
        "{a} took {x} longer than {b} at the 99th percentile",
        "{a} took {x} less time than {b} at the 99th percentile",
        "{a} took {x} times as long as {b} at the 99th percentile",
    ),
    "answered_share": _Words(
        "{a} answered a {x} larger share of its requests than {b}",
        "{a} answered a {x} smaller share of its requests than {b}",
        "{a} answered {x} times as large a share of its requests as {b}",
    ),
    "service_cpu_us": _Words(
        "{a} used {x} more CPU a request than {b}",
        "{a} used {x} less CPU a request than {b}",
        "{a} used {x} times as much CPU a request as {b}",
    ),
    "share_of_prediction": _Words(
        "{a} came {x} higher against its prediction than {b}",
        "{a} came {x} lower against its prediction than {b}",
        "{a} came {x} times as high against its prediction as {b}",
    ),
    "pss_kib_per_request": _Words(
        "{a} needed {x} more memory a held request than {b}",
        "{a} needed {x} less memory a held request than {b}",
        "{a} needed {x} times as much memory a held request as {b}",
    ),
    "threads_per_request": _Words(
        "{a} needed {x} more threads a held request than {b}",
        "{a} needed {x} fewer threads a held request than {b}",
        "{a} needed {x} times as many threads a held request as {b}",
    ),
}


def outcome(comparison: Comparison | None, p_adjusted: float) -> Outcome:
    """Equivalence comes first: a difference that is sure but within ±5 % is not worth a winner."""
    if comparison is None:
        return "not measured"
    if comparison.rounds < FEWEST_ROUNDS:
        return "inconclusive"
    if comparison.equivalent:
        return "equivalent"
    if p_adjusted < ALPHA:
        return "more" if comparison.ratio > 1 else "less"
    return "inconclusive"


def sentence(
    measure: str, service: str, reference: str, comparison: Comparison | None, p_adjusted: float
) -> str:
    """What the numbers allow to be said, and no more: the only place that names a winner."""
    found = outcome(comparison, p_adjusted)
    if comparison is None or found == "not measured":
        return f"Not measured: too few rounds in which both {service} and {reference} count"
    if found == "equivalent":
        return (
            f"No meaningful difference between {service} and {reference} "
            f"(within ±{MARGIN:.0%}, {comparison.rounds} rounds)"
        ).replace("%", " %")
    if comparison.rounds < FEWEST_ROUNDS:
        return (
            f"Inconclusive between {service} and {reference}: "
            f"{comparison.rounds} rounds are too few"
        )
    if found == "inconclusive":
        return (
            f"Inconclusive between {service} and {reference}: "
            f"this run could only detect about {_effect(comparison.detectable)}"
        )
    if comparison.ratio <= 0.5:
        return _difference(_WORDS[measure], reference, service, comparison.inverse())
    return _difference(_WORDS[measure], service, reference, comparison)


def _difference(words: _Words, a: str, b: str, comparison: Comparison) -> str:
    if comparison.ratio >= 2:
        amount = times(comparison.ratio)
        interval = f"{times(comparison.low)}–{times(comparison.high)} times"
        said = words.times.format(a=a, b=b, x=amount)
    elif comparison.ratio > 1:
        interval = f"{percent(comparison.low - 1)}–{percent(comparison.high - 1)} %"
        said = words.more.format(a=a, b=b, x=f"{percent(comparison.ratio - 1)} %")
    else:
        interval = f"{percent(1 - comparison.high)}–{percent(1 - comparison.low)} %"
        said = words.less.format(a=a, b=b, x=f"{percent(1 - comparison.ratio)} %")
    return f"{said} (95 % CI {interval}, {comparison.rounds} rounds)"


def _effect(share: float) -> str:
    return f"a {times(1 + share)}-fold difference" if share >= 2 else f"{percent(share)} %"


def percent(share: float) -> str:
    """0.184 as `18`, 0.0184 as `1.8`."""
    return f"{share * 100:.0f}" if share >= 0.0995 else f"{share * 100:.1f}"


def times(ratio: float) -> str:
    """A ratio in two or three digits: `0.31`, `2.4`, `16.2`, `1,200`."""
    if ratio >= 99.5:
        return f"{ratio:,.0f}"
    if ratio == 0:
        return "0"
    return f"{ratio:.1f}" if ratio >= 1.95 else f"{ratio:.2f}"


def limits(comparison: Comparison) -> str:
    """The 95 % interval of a ratio as a table has it: two rounds that agree have none."""
    if comparison.rounds < FEWEST_ROUNDS:
        return "too few rounds"
    return f"{times(comparison.low)}–{times(comparison.high)}"


def findings(experiment: Experiment, trials: Sequence[Trial]) -> list[Finding]:
    """Each service against the reference at each level, Holm over the services of a level."""
    if experiment.measure in SLOPES:
        return []
    services = [service for service in experiment.services if service != experiment.reference]
    return [
        finding
        for level in experiment.levels
        for finding in _judged(experiment, trials, level.label, services)
    ]


def twins(experiments: Iterable[Experiment], trials: Mapping[str, list[Trial]]) -> list[Finding]:
    """The reference services against themselves (A/A), Holm over the whole run."""
    found = [
        _finding(
            experiment, trials.get(experiment.name, []), level.label, experiment.reference + TWIN
        )
        for experiment in experiments
        if experiment.measure not in SLOPES
        for level in experiment.levels
    ]
    return _adjusted([finding for finding in found if finding.comparison])


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
    comparison = compare(values, against)
    p = comparison.p_different if comparison else 1.0
    return Finding(
        experiment.name, level, experiment.measure, arm, experiment.reference, comparison, p
    )


def _adjusted(findings: Sequence[Finding]) -> list[Finding]:
    p_values = {
        str(place): finding.p_adjusted
        for place, finding in enumerate(findings)
        if finding.comparison
    }
    adjusted = holm(p_values)
    return [
        Finding(**{**vars(finding), "p_adjusted": adjusted.get(str(place), 1.0)})
        for place, finding in enumerate(findings)
    ]
