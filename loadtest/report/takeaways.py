"""What an experiment shows, in one sentence: the titles of its first charts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from loadtest.analysis import verdict
from loadtest.analysis.claims import ratio, stage_for
from loadtest.analysis.findings import Finding, sentence, stable
from loadtest.analysis.names import NO_NAMES
from loadtest.model.counts import agree, number_of
from loadtest.model.experiment import Experiment, Level
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES
from loadtest.report.charts.style import capital
from loadtest.stats.inference import INTERVAL_ROUNDS


def takeaway(
    findings: Sequence[Finding], experiment: Experiment, trials: Sequence[Trial] = ()
) -> str:
    """The title of a chart: what its experiment shows.

    That is the first criterion, if it compares two services. Otherwise it is the largest difference
    at the last level, or that no difference was found.
    """
    if said := _first_comparison(findings, experiment, trials):
        return said
    for level in reversed(experiment.levels):
        at, few = _at(findings, level)
        told = [finding for finding in at if finding.outcome in ("more", "less")]
        if told:
            largest = max(told, key=lambda each: abs(_log_ratio(each)))
            return f"{capital(level.label)}: {largest.sentence}{few}"
        if len(at) == 1:
            return f"{capital(level.label)}: {at[0].sentence}{few}"
        if at and all(finding.outcome == "equivalent" for finding in at):
            return f"{capital(level.label)}: no meaningful difference (within ±5 %){few}"
        if at and all(finding.rounds < INTERVAL_ROUNDS for finding in at):
            return f"{capital(level.label)}: too few rounds to compare the services"
        if at:
            return f"{capital(level.label)}: this run cannot tell the services apart{few}"
    return experiment.title


def _at(findings: Sequence[Finding], level: Level) -> tuple[list[Finding], str]:
    """The findings at a level that have rounds enough, if any has; and which services have not."""
    found = [finding for finding in findings if finding.level == level.label]
    enough = [finding for finding in found if finding.rounds >= INTERVAL_ROUNDS]
    few = [finding.service for finding in found if finding not in enough]
    return enough or found, f"; too few rounds of {', '.join(few)}" * bool(enough and few)


def _first_comparison(
    findings: Sequence[Finding], experiment: Experiment, trials: Sequence[Trial]
) -> str:
    first = next(iter(experiment.of_claims), None)
    if first is None or not first.ratio or MEASURES[first.measure].growth:
        return ""
    found = ratio(first, trials, stage_for(experiment, first, trials))
    if found is None:
        return ""
    service, reference = verdict.sides(first, NO_NAMES)
    own = next((each for each in findings if each.answers(first)), None)
    p = own.p_adjusted if own else found.p_different
    told = sentence(first.measure, service, reference, found, p)
    return f"{first.service if first.reference_level else capital(first.level)}: {told}"


def _log_ratio(finding: Finding) -> float:
    return math.log(finding.ratio.value) if finding.ratio else 0.0


def tally(findings: Sequence[Finding], twins: Sequence[Finding]) -> str:
    """How many comparisons show a difference, and whether the reference agrees with itself."""
    if all(finding.rounds < INTERVAL_ROUNDS for finding in [*findings, *twins]):
        return "Too few rounds to tell a difference from chance"
    count = Counter(finding.outcome for finding in findings)
    different, left = count["more"] + count["less"], count["inconclusive"]
    shows = "shows" if 1 in (different, len(findings)) else "show"
    told = [
        f"{different} of {number_of(len(findings), 'comparison')} {shows} a difference",
        f"{count['equivalent']} none that matters" if count["equivalent"] else "",
        f"{left} {agree(left, 'stays', 'stay')} open" if left else "",
    ]
    said = ", ".join(part for part in told if part) if findings else ""
    if not twins:
        return said
    if not stable(twins):
        own = "the reference differs from itself, so trust none"
    elif all(finding.outcome == "equivalent" for finding in twins):
        own = "the reference agrees with itself"
    else:
        own = "the reference was not found to differ from itself"
    return f"{said}; {own}" if said else capital(own)
