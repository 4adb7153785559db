"""From trials to values: what each service did at each level in each round."""

from __future__ import annotations

from collections.abc import Iterable

from loadtest.model.trial import Trial
from loadtest.plan.measures import MEASURES


def by_round(trials: Iterable[Trial], name: str, level: str, arm: str) -> dict[int, float]:
    """Round -> value of a measure for one arm at one level; rounds without a value are left out."""
    found = {
        trial.round: MEASURES[name].value(trial)
        for trial in trials
        if trial.level == level and trial.arm == arm
    }
    return {round_: value for round_, value in found.items() if value is not None}


def points(trials: Iterable[Trial], name: str, arm: str) -> tuple[list[float], list[float]]:
    """(connections, value) of every trial of one arm, for a slope over the loads."""
    pairs = [
        (float(trial.load.connections), value)
        for trial in trials
        if trial.arm == arm and (value := MEASURES[name].value(trial)) is not None
    ]
    return [x for x, _ in pairs], [y for _, y in pairs]
