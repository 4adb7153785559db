"""Which row runs when: randomised complete blocks, with the reference row twice in each."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from loadtest.experiments import Experiment, ExperimentError, Level
from loadtest.stream import OPENING_INTERVAL_S

PlanName = Literal["quick", "full"]

QUICK_ROUNDS = 6
FEWEST_ROUNDS = 2  # one round has no spread, so no interval
TWIN = "#2"

# Seconds that a trial takes beside its warm-up and its window: the load generator's start and end.
TRIAL_OVERHEAD_S = 0.7
RESTART_S = 2.5


@dataclass(frozen=True)
class PlannedTrial:
    """One row at one level in one round. `arm` is `service`, or `service#2` for its A/A twin."""

    experiment: Experiment
    index: int  # place in the whole schedule, from 0
    round: int  # from 1
    order: int  # place within the round, from 1
    arm: str
    service: str
    level: Level

    @property
    def seconds(self) -> float:
        """Estimated time of the trial, in seconds."""
        load, own = self.level.load, self.experiment.warmup_s + self.experiment.duration_s
        opening = max(load.think_s, load.connections * OPENING_INTERVAL_S)
        return own + opening + TRIAL_OVERHEAD_S + (RESTART_S if self.experiment.restarts else 0.0)


def plan(
    experiments: Mapping[str, Experiment], name: PlanName, rounds: int | None = None
) -> list[Experiment]:
    """The experiments of a plan: quick = the headline ones, six rounds; full = all.

    The quick plan leaves some of their rows and levels out. `rounds` overrides the plan's.
    """
    if rounds is not None and rounds < FEWEST_ROUNDS:
        raise ExperimentError(
            f"{rounds} round(s) give no interval; ask for at least {FEWEST_ROUNDS}, better 6 or 12"
        )
    if name == "full":
        return [replace(each, rounds=rounds or each.rounds) for each in experiments.values()]
    return [
        replace(
            each,
            rounds=rounds or min(each.rounds, QUICK_ROUNDS),
            rows=tuple(row for row in each.rows if row not in each.full_rows),
            levels=tuple(level for level in each.levels if level.quick),
        )
        for each in experiments.values()
        if each.headline
    ]


def narrow(experiment: Experiment, rows: Collection[str]) -> Experiment:
    """The experiment with only those of its rows that are in `rows`.

    An experiment without its reference row, or without any row, is an error.
    """
    kept = tuple(row for row in experiment.rows if row in rows)
    if not kept:
        raise ExperimentError(
            f"{experiment.name}: none of its rows ({', '.join(experiment.rows)}) can run here; "
            f"here are: {', '.join(rows) or 'none'}"
        )
    if experiment.reference not in kept:
        raise ExperimentError(
            f"{experiment.name}: its reference row {experiment.reference} is missing; "
            f"add it to the rows ({', '.join(rows)}) or name another reference in the file"
        )
    return replace(experiment, rows=kept)


def schedule(experiments: Sequence[Experiment], seed: int) -> list[PlannedTrial]:
    """Every trial in its order, from `seed` alone.

    A round runs each level once in random order, and in it each arm once in random order: the arms
    that are compared stand next to each other in time, so that slow drift cancels in their ratio.
    An experiment's shuffles depend on its own name and the seed, not on what else is in the plan.
    """
    trials: list[PlannedTrial] = []
    for experiment in experiments:
        rng = random.Random(f"{seed}:{experiment.name}")
        for number in range(1, experiment.rounds + 1):
            trials += _round(experiment, number, len(trials), rng)
    return trials


def estimate_s(trials: Sequence[PlannedTrial]) -> float:
    """Estimated time of the trials, in seconds, without set-up."""
    return sum(trial.seconds for trial in trials)


def _round(
    experiment: Experiment, number: int, start: int, rng: random.Random
) -> list[PlannedTrial]:
    arms = [(row, row) for row in experiment.rows]
    arms.append((experiment.reference + TWIN, experiment.reference))
    cells = [
        (arm, service, level)
        for level in rng.sample(experiment.levels, len(experiment.levels))
        for arm, service in rng.sample(arms, len(arms))
        if service not in level.without
    ]
    return [
        PlannedTrial(experiment, start + place, number, place + 1, arm, service, level)
        for place, (arm, service, level) in enumerate(cells)
    ]
