"""The verdict on each claim: confirmed, refuted or conditional, and under which condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loadtest.analysis.names import NO_NAMES, Names
from loadtest.analysis.observations import (
    by_round,
    growing,
    growth,
    growth_by_round,
    seen_rounds,
)
from loadtest.analysis.reasons import reason
from loadtest.analysis.verdict import Check, Claim, Figure, State, Word
from loadtest.model.criterion import Criterion
from loadtest.model.experiment import Experiment
from loadtest.model.trial import Trial
from loadtest.plan import sequential
from loadtest.plan.measures import MEASURES
from loadtest.stats.inference import INTERVAL_ROUNDS, Ratio, compare, interval, resolution
from loadtest.stats.sequential import Stage


def judge(
    experiment: Experiment, trials: Sequence[Trial], budget: str, names: Names = NO_NAMES
) -> list[Claim]:
    """Hold each claim's criteria against the trials that count; the experiment's own first."""
    statements = {experiment.claim: experiment.statement, **experiment.further}
    if not experiment.claim:  # it compares services of the user's own
        return []
    return [
        _judged(
            claim,
            experiment,
            statement,
            budget,
            [each for each in checks(experiment, trials, names) if each.criterion.claim == claim],
        )
        for claim, statement in statements.items()
    ]


def checks(
    experiment: Experiment,
    trials: Sequence[Trial],
    names: Names = NO_NAMES,
    criteria: Iterable[Criterion] | None = None,
) -> list[Check]:
    """Each criterion of an experiment, or each of `criteria`, held against the trials that count.

    Which levels were looked at is decided by the experiment's own.
    """
    asked = experiment.criteria if criteria is None else criteria
    return [_check(experiment, each, trials, names) for each in asked]


def _judged(
    claim: str, experiment: Experiment, statement: str, budget: str, checks: Sequence[Check]
) -> Claim:
    verdict = word(check.state for check in checks)
    return Claim(claim, experiment.name, statement, verdict, budget, tuple(checks))


def checked(experiment: Experiment, found: Mapping[str, Any], budget: str) -> list[Claim]:
    """The claim of an experiment that takes no load: those of `passes` pass the check, no other
    service. Without any it is the reference.

    What a claim says of one framework it says against the others. A check that could not be
    carried out says nothing.
    """
    passes = experiment.passes or (experiment.reference,)
    checks = [
        Check(
            Criterion(
                experiment.claim,
                f"{service}: {result.get('detail', '')}".rstrip(": "),
                service,
                "check",
            ),
            _became(result.get("passed", False), service in passes),
            None,
        )
        for service, result in found.items()
    ]
    return [_judged(experiment.claim, experiment, experiment.statement, budget, checks)]


def _became(passed: bool | None, claimed: bool) -> State:
    """Of a check: `passed` is None where it could not be carried out."""
    if passed is None:
        return "not measured"
    return "holds" if passed == claimed else "fails"


def word(states: Iterable[State]) -> Word:
    """Confirmed where every criterion holds, refuted where every measured one fails.

    Conditional takes one of each: a criterion that stays open has refuted nothing. One that was not
    measured confirms nothing: it is the other half of what was claimed.
    """
    found = set(states)
    measured = found - {"not measured"}
    if not measured:
        return "not measured"
    if found == {"holds"}:
        return "confirmed"
    if measured == {"fails"}:
        return "refuted"
    return "conditional" if measured >= {"holds", "fails"} else "undecided"


def _check(
    experiment: Experiment, criterion: Criterion, trials: Sequence[Trial], names: Names
) -> Check:
    stage = stage_for(experiment, criterion, trials)
    figure = (_ratio if criterion.ratio else _value)(criterion, trials, stage)
    measured = {trial.arm for trial in trials}
    asked = dict.fromkeys(service for service, _ in criterion.sides)
    return Check(
        criterion,
        _state(criterion, figure),
        figure,
        predicted=_predicted(criterion, trials),
        reason=reason(criterion, trials, names, (figure.low, figure.high)) if figure else "",
        names=names,
        lacking=tuple(service for service in asked if service not in measured),
        ran=_ran(criterion, trials),
    )


def _ran(criterion: Criterion, trials: Sequence[Trial]) -> int:
    """Rounds that have trials of all that a criterion needs; 0 for a slope, which needs several."""
    if MEASURES[criterion.measure].growth:
        return 0
    rounds = [
        {trial.round for trial in trials if (trial.arm, trial.level) == side}
        for side in criterion.sides
    ]
    return len(set.intersection(*rounds))


def stage_for(experiment: Experiment, criterion: Criterion, trials: Sequence[Trial]) -> Stage:
    """The look that a criterion's rounds stand for: of two sides, the one with fewer."""
    levels = sequential.levels_of(experiment, criterion)
    rounds = min(
        seen_rounds(growing(trials, arm), levels, arm)
        if MEASURES[criterion.measure].growth
        else seen_rounds(trials, {level}, arm)
        for arm, level in criterion.sides
    )
    return sequential.stage(experiment, levels, rounds)


def _state(criterion: Criterion, figure: Figure | None) -> State:
    if figure is None:
        return "not measured"
    if figure.rounds < INTERVAL_ROUNDS:
        return "open"
    least = float("-inf") if criterion.at_least is None else criterion.at_least
    most = float("inf") if criterion.at_most is None else criterion.at_most
    if least <= figure.low and figure.high <= most:
        return "holds"
    return "fails" if figure.high < least or figure.low > most else "open"


def _ratio(criterion: Criterion, trials: Sequence[Trial], stage: Stage) -> Figure | None:
    found = ratio(criterion, trials, stage)
    return _figure(found) if found else None


def ratio(criterion: Criterion, trials: Sequence[Trial], stage: Stage) -> Ratio | None:
    """The two figures of a criterion that compares, as a ratio of those of the same round."""
    own, other = (_rounds(criterion, trials, *side) for side in criterion.sides)
    return compare(own, other, stage)


def _figure(found: Ratio) -> Figure:
    return Figure(found.value, found.low, found.high, found.rounds, found.detectable)


def _rounds(
    criterion: Criterion, trials: Sequence[Trial], service: str, level: str
) -> dict[int, float]:
    """Round -> value; for a slope, the slope within each round."""
    if not MEASURES[criterion.measure].growth:
        return by_round(trials, criterion.measure, level, service)
    found = growth_by_round(trials, criterion.measure, service)
    return {number: each.slope for number, each in found.items()}


def _value(criterion: Criterion, trials: Sequence[Trial], stage: Stage) -> Figure | None:
    measure = MEASURES[criterion.measure]
    if measure.growth:
        line = growth(trials, criterion.measure, criterion.service, stage)
        rounds = len(growth_by_round(trials, criterion.measure, criterion.service))
        return Figure(line.slope, line.low, line.high, rounds) if line and rounds > 1 else None
    values = list(_rounds(criterion, trials, criterion.service, criterion.level).values())
    if len(values) < 2:
        return None
    ratios = not measure.share and min(values) > 0
    found = interval(values, logarithmic=ratios, share=measure.share, stage=stage)
    return Figure(*found, len(values), resolution(values, logarithmic=ratios, stage=stage))


def _predicted(criterion: Criterion, trials: Sequence[Trial]) -> float | None:
    """The criterion's figure as slots / L predicts it; None where slots say nothing about it."""
    measure = MEASURES[criterion.measure]
    own, *other = (
        next(
            (
                measure.foretold(trial.prediction, trial.load)
                for trial in trials
                if (trial.arm, trial.level) == side
            ),
            None,
        )
        for side in criterion.sides
    )
    if own is None or not other:
        return own
    return own / other[0] if other[0] else None
