"""What the report says of one experiment: its verdict, its charts and their takeaways."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from loadtest.analysis import claims, verdicts
from loadtest.analysis.claims import Claim, amount
from loadtest.analysis.observations import by_round
from loadtest.analysis.verdicts import Finding, times
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.criteria import SLOPES
from loadtest.report.charts import course, forest, latency, resources, scaling, trust
from loadtest.report.charts.style import Chart, Table, capital
from loadtest.results.runs import Run
from loadtest.stats.inference import FEWEST_ROUNDS, compare


@dataclass(frozen=True)
class Section:
    """One experiment of the report. `beside`: claimed figures beside the measured ones."""

    experiment: Experiment
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]
    charts: tuple[Chart, ...]
    beside: Table | None
    facts: tuple[str, ...]


def ordered(sections: Sequence[Section]) -> list[Claim]:
    """Every claim of the sections, by its number."""
    found = [claim for section in sections for claim in section.claims]
    return sorted(found, key=lambda claim: int(claim.claim[1:]))


def of(run: Run) -> list[Section]:
    """The sections of a run, in the order of the claims."""
    return [_section(run, experiment) for experiment in run.experiments.values()]


def _section(run: Run, experiment: Experiment) -> Section:
    trials = run.valid.get(experiment.name, [])
    seen = _seen(experiment, trials)
    findings = [finding for finding in verdicts.findings(seen, trials) if finding.comparison]
    twins = verdicts.twins([seen], {experiment.name: trials})
    return Section(
        experiment=seen,
        claims=tuple(_claims(run, experiment, trials)),
        findings=tuple(findings),
        charts=tuple(_charts(run, seen, trials, findings, twins)),
        beside=_beside(seen, findings),
        facts=tuple(_facts(seen, trials)),
    )


def _claims(run: Run, experiment: Experiment, trials: Sequence[Trial]) -> list[Claim]:
    found = (run.info.get("checks") or {}).get(experiment.name)
    if experiment.check and found:
        return claims.checked(experiment, found, run.budget)
    return claims.judge(experiment, trials, run.budget)


def _seen(experiment: Experiment, trials: Sequence[Trial]) -> Experiment:
    """The experiment with only those services and levels that have a trial."""
    services = {trial.service for trial in trials}
    levels = {trial.level for trial in trials}
    return replace(
        experiment,
        services=tuple(service for service in experiment.services if service in services),
        levels=tuple(level for level in experiment.levels if level.label in levels),
    )


def _charts(
    run: Run,
    experiment: Experiment,
    trials: Sequence[Trial],
    findings: Sequence[Finding],
    twins: Sequence[Finding],
) -> Iterator[Chart]:
    if experiment.measure in SLOPES:
        drawn = [resources.held(experiment, trials, measure) for measure in SLOPES]
    else:
        both = [*findings, *twins]
        drawn = [
            scaling.scaling(experiment, trials, takeaway(findings, experiment, trials)),
            forest.forest(experiment, trials, both, _tally(findings, twins)),
            latency.offered(experiment, trials),
        ]
        if experiment.levels:
            drawn.append(latency.percentiles(experiment, trials, experiment.levels[-1]))
    drawn.append(course.course(experiment, trials))
    drawn.append(
        trust.run_order(experiment.name, run.all.get(experiment.name, []), experiment.measure)
    )
    yield from (chart for chart in drawn if chart)


def takeaway(
    findings: Sequence[Finding], experiment: Experiment, trials: Sequence[Trial] = ()
) -> str:
    """What the first criterion compares, said; where that is one service alone, the largest
    difference at the last level that was run, or that there is none to be told.
    """
    if said := _first_comparison(experiment, trials):
        return said
    for level in reversed(experiment.levels):
        at = [finding for finding in findings if finding.level == level.label]
        told = [finding for finding in at if finding.outcome in ("more", "less")]
        if told:
            largest = max(told, key=lambda each: abs(_log_ratio(each)))
            return f"{capital(level.label)}: {largest.sentence}"
        if len(at) == 1:
            return f"{capital(level.label)}: {at[0].sentence}"
        if at and all(finding.outcome == "equivalent" for finding in at):
            return f"{capital(level.label)}: no meaningful difference (within ±5 %)"
        if at and all(finding.rounds < FEWEST_ROUNDS for finding in at):
            return f"{capital(level.label)}: too few rounds to compare the services"
        if at:
            return f"{capital(level.label)}: this run cannot tell the services apart"
    return experiment.title


def _first_comparison(experiment: Experiment, trials: Sequence[Trial]) -> str:
    first = experiment.criteria[0] if experiment.criteria else None
    if first is None or not first.ratio or first.measure in SLOPES:
        return ""
    service, reference = (
        by_round(trials, first.measure, first.level, each)
        for each in (first.service, first.reference)
    )
    found = compare(service, reference)
    if found is None:
        return ""
    told = verdicts.sentence(
        first.measure, first.service, first.reference, found, found.p_different
    )
    return f"{capital(first.level)}: {told}"


def _log_ratio(finding: Finding) -> float:
    return math.log(finding.comparison.ratio) if finding.comparison else 0.0


def _tally(findings: Sequence[Finding], twins: Sequence[Finding]) -> str:
    if all(finding.rounds < FEWEST_ROUNDS for finding in [*findings, *twins]):
        return "Too few rounds to tell a difference from chance"
    count = Counter(finding.outcome for finding in findings)
    different = count["more"] + count["less"]
    told = [
        f"{different} of {len(findings)} comparisons show a difference",
        f"{count['equivalent']} none that matters" if count["equivalent"] else "",
        f"{count['inconclusive']} stay open" if count["inconclusive"] else "",
    ]
    if not twins:
        return ", ".join(part for part in told if part)
    if not verdicts.stable(twins):
        own = "the reference differs from itself, so trust none"
    elif all(finding.outcome == "equivalent" for finding in twins):
        own = "the reference agrees with itself"
    else:
        own = "the reference was not found to differ from itself"
    return ", ".join(part for part in told if part) + f"; {own}"


def _beside(experiment: Experiment, findings: Sequence[Finding]) -> Table | None:
    """Claimed figures as ratios to the reference, beside the measured ratios."""
    base = experiment.claimed.get(experiment.reference)
    if not base:
        return None
    levels = [level.label for level in experiment.levels]
    measured = {(each.service, each.level): each.comparison for each in findings if each.comparison}
    services = []
    for service, claimed in experiment.claimed.items():
        cells = [
            f"{times(found.ratio)} × ({verdicts.limits(found)})"
            if (found := measured.get((service, level)))
            else ("1" if service == experiment.reference else "not measured")
            for level in levels
        ]
        services.append((service, f"{claimed:,.0f}", f"{times(claimed / base)} ×", *cells))
    told = [f"Measured ratio (95 % CI), {level}" for level in levels]
    return Table(("Service", "Claimed requests/s", "Claimed ratio", *told), tuple(services))


def _facts(experiment: Experiment, trials: Sequence[Trial]) -> Iterator[str]:
    if not trials:
        return
    levels = ", ".join(level.label for level in experiment.levels)
    held = ", ".join(
        sorted({_request(trial.scenario, trial.parameters) for trial in trials}, key=str)
    )
    yield f"Request: {held}"
    yield f"Varied: {levels}"
    rounds = len({trial.round for trial in trials})
    yield (
        f"{rounds} rounds in random order; each trial lasts {amount(experiment.duration_s)} s "
        f"after {amount(experiment.warmup_s)} s of warm-up that does not count"
    )


def _request(scenario: str, parameters: Any) -> str:
    inner = ", ".join(f"{key} = {value:,}" for key, value in parameters.items())
    return f"{scenario} ({inner})" if inner else scenario
