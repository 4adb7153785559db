"""What the report says of one experiment: its verdict, its charts and what stands beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from loadtest.analysis import claims
from loadtest.analysis.amounts import amount, limits, times
from loadtest.analysis.answers import Lead, answer
from loadtest.analysis.findings import Finding, against_reference
from loadtest.analysis.names import spoken
from loadtest.analysis.slots import elsewhere, reached, sentence
from loadtest.analysis.verdict import Check, Claim
from loadtest.inventory import budgets
from loadtest.model.counts import number_of
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES, SLOPES
from loadtest.report import looks
from loadtest.report.charts import course, forest, latency, resources, scaling, told, trust
from loadtest.report.charts.style import Chart, Listing
from loadtest.report.own import described, outcome
from loadtest.report.published import beside
from loadtest.report.takeaways import takeaway, tally
from loadtest.results.runs import Run


@dataclass(frozen=True, eq=False)
class Section:
    """One experiment of the report, with those services and levels that have a trial.

    `planned`: with all. `trials` are those that count, `attempts` all. `twins`: the reference
    against itself. `looks`: those at its figures; `rule`: what decided how many rounds it has.
    `reached`: how much of slots ÷ wait each service reached. `elsewhere`: what that makes of the
    answer under other budgets.
    """

    experiment: Experiment
    planned: Experiment
    claims: tuple[Claim, ...]
    trials: tuple[Trial, ...]
    attempts: tuple[Trial, ...]
    findings: tuple[Finding, ...]
    twins: tuple[Finding, ...]
    looks: Listing | None
    rule: str
    reached: tuple[str, ...] = ()
    elsewhere: str = ""
    conditions: tuple[Check, ...] = ()  # that must not be met, and what became of them

    @property
    def sentences(self) -> list[str]:
        """Every comparison in words, where no claim is on trial."""
        return [] if self.experiment.claim else [outcome.told(each) for each in self.findings]

    @property
    def lacking(self) -> list[str]:
        """Services of the user's own without a figure at one of the loads, each with the reason."""
        planned = self.planned
        return outcome.missing(planned, self.trials, self.attempts) if planned.targets else []

    @cached_property
    def charts(self) -> tuple[Chart, ...]:
        """The charts of what was measured."""
        return tuple(chart for chart in _charts(self) if chart)

    def wall(self, claim: Claim) -> Chart | None:
        """The chart of a claim's picture for a wall.

        Claimed figures are drawn where the claim is decided alone; of what is held, its own.
        """
        first = next(iter(self.charts), None)
        if claim.headline is None:
            return first
        criterion = claim.headline.criterion
        if growth := MEASURES[criterion.measure].growth:
            name = f"{self.experiment.name}-{growth.noun}"
            return next((chart for chart in self.charts if chart.name == name), first)
        if not self.experiment.claimed:
            return first
        at = tuple(each for each in self.experiment.levels if each.label == criterion.level)
        shown = replace(self.experiment, name=f"{self.experiment.name}-wall", levels=at)
        return scaling.scaling(shown, self.trials, "")

    @cached_property
    def grounds(self) -> tuple[Chart, ...]:
        """The charts by which the experiment may be trusted."""
        return tuple(chart for chart in _grounds(self) if chart)

    @property
    def answer(self) -> Lead | None:
        """What the experiment answers, in a sentence; None where nothing has an interval."""
        found = answer(self.experiment, self.claims, self.findings, self.trials)
        return found and replace(found, elsewhere=self.elsewhere)

    @property
    def beside(self) -> Listing | None:
        """Figures that are commonly claimed, beside the measured ones."""
        return _beside(self.experiment, self.findings)

    @property
    def told(self) -> Listing | None:
        """What else was measured of each service at each level."""
        return told.told(self.experiment, self.trials)

    @property
    def published(self) -> Listing | None:
        """Somebody else's figures, beside what slots predict and what was measured."""
        return beside.table(self.experiment, self.trials, self.findings)

    @property
    def facts(self) -> list[str]:
        """What was varied and what was held."""
        return list(_facts(self.experiment, self.trials))


def of(run: Run, experiment: Experiment, twins: Sequence[Finding]) -> Section:
    """The section of an experiment; `twins` are those of the whole run."""
    trials = run.valid.get(experiment.name, [])
    shown = seen(run, experiment)
    return Section(
        experiment=shown,
        planned=experiment,
        claims=tuple(_claims(run, experiment, trials)),
        trials=tuple(trials),
        attempts=tuple(run.all.get(experiment.name, [])),
        findings=tuple(each for each in against_reference(shown, trials) if each.ratio),
        twins=tuple(twin for twin in twins if twin.experiment == experiment.name),
        looks=looks.table(run, experiment),
        rule=looks.rule(run, experiment),
        reached=tuple(reached(shown, trials, run.info.get("services") or {})),
        elsewhere=_elsewhere(run, shown),
        conditions=tuple(
            each for each in claims.checks(experiment, trials) if not each.criterion.claim
        ),
    )


def _elsewhere(run: Run, experiment: Experiment) -> str:
    """The first criterion that compares two services, under the budgets that were not run."""
    compared = (each for each in experiment.of_claims if each.ratio and not each.reference_level)
    first = next(compared, None)
    if first is None:
        return ""
    services = dict(run.info.get("services") or {})
    about = {name: each.get("observed") or {} for name, each in services.items()}
    found = elsewhere(experiment, about, budgets.demands())
    return sentence(found, run.budget, first.service, first.reference)


def seen(run: Run, experiment: Experiment) -> Experiment:
    """The experiment with only those services and levels that have a trial."""
    trials = run.valid.get(experiment.name, [])
    services = {trial.service for trial in trials}
    levels = {trial.level for trial in trials}
    return replace(
        experiment,
        services=tuple(service for service in experiment.services if service in services),
        levels=tuple(level for level in experiment.levels if level.label in levels),
    )


def _claims(run: Run, experiment: Experiment, trials: Sequence[Trial]) -> list[Claim]:
    found = (run.info.get("checks") or {}).get(experiment.name)
    if experiment.check and found:
        return claims.checked(experiment, found, run.budget)
    names = spoken(experiment.services, run.info.get("services") or {})
    return claims.judge(experiment, trials, run.budget, names)


def _charts(section: Section) -> Iterator[Chart | None]:
    experiment, trials = section.experiment, section.trials
    findings, twins = section.findings, section.twins
    if MEASURES[experiment.measure].growth:
        yield from _slopes(section, SLOPES)
    else:
        both = [*findings, *twins]
        yield scaling.scaling(experiment, trials, takeaway(findings, experiment, trials))
        yield forest.forest(experiment, trials, both, tally(findings, twins))
        yield latency.offered(experiment, trials)
        if experiment.levels:
            yield latency.percentiles(experiment, trials, experiment.levels[-1])
        yield from _slopes(section, [name for name in SLOPES if name in experiment.tells])
    if experiment.background:
        yield course.course(experiment, trials)


def _slopes(section: Section, names: Iterable[str]) -> Iterator[Chart | None]:
    for name in names:
        yield resources.held(section.experiment, section.trials, MEASURES[name])


def _grounds(section: Section) -> Iterator[Chart | None]:
    experiment = section.experiment
    if not experiment.background:
        yield course.course(experiment, section.trials)
    yield trust.run_order(experiment.name, section.attempts, experiment.measure)


def _beside(experiment: Experiment, findings: Sequence[Finding]) -> Listing | None:
    """Claimed figures as ratios to the reference, beside the measured ratios."""
    base = experiment.claimed.get(experiment.reference)
    if not base:
        return None
    levels = [level.label for level in experiment.levels]
    measured = {(each.service, each.level): each.ratio for each in findings if each.ratio}
    services = []
    for service, claimed in experiment.claimed.items():
        cells = [
            f"{times(found.value)} × ({limits(found)})"
            if (found := measured.get((service, level)))
            else ("1" if service == experiment.reference else "not measured")
            for level in levels
        ]
        services.append((service, f"{claimed:,.0f}", f"{times(claimed / base)} ×", *cells))
    told = [f"Measured ratio (95 % CI), {level}" for level in levels]
    return Listing(("Service", "Claimed requests/s", "Claimed ratio", *told), tuple(services))


def _facts(experiment: Experiment, trials: Sequence[Trial]) -> Iterator[str]:
    if not trials:
        return
    levels = ", ".join(level.label for level in experiment.levels)
    held = ", ".join(
        sorted({_request(trial.scenario, trial.parameters) for trial in trials}, key=str)
    )
    yield f"Request: {described.requests(experiment) if experiment.targets else held}"
    yield f"Varied: {levels}"
    rounds = Counter((level, arm) for level, arm, _ in {(t.level, t.arm, t.round) for t in trials})
    longest_s = max(trial.result.duration_s for trial in trials)
    longer = longest_s > 1.05 * experiment.duration_s
    yield (
        f"{_span(rounds.values())} in random order; each trial lasts {experiment.duration_s:g} s "
        f"after {experiment.warmup_s:g} s of warm-up that does not count"
        + f"; up to {amount(longest_s)} s where requests wait longer"
        * longer
    )


def _span(values: Collection[int]) -> str:
    """`4 rounds`, or `3 to 12 rounds` where levels or services differ."""
    low, high = min(values), max(values)
    return f"{low} to " * (low != high) + number_of(high, "round")


def _request(scenario: str, parameters: Any) -> str:
    inner = ", ".join(f"{key} = {value:,}" for key, value in parameters.items())
    return f"{scenario} ({inner})" if inner else scenario
