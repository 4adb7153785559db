"""Which service runs when: randomised complete blocks, with the reference service twice in each."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from loadtest.contract import scenarios
from loadtest.engine.stream import OPENING_INTERVAL_S
from loadtest.model.counts import agree, number_of
from loadtest.model.experiment import Experiment, Level, Looked
from loadtest.model.trial import TWIN
from loadtest.plan import sequential
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.windows import ROOM_S

PlanName = Literal["quick", "lesson", "full", "field", "published"]

SHORT_ROUNDS = 8  # at most, for what stays open: six leave flask-gthread open in one run of four
SMALLEST_RUN = 2  # rounds; one has no spread. A verdict needs more: inference.INTERVAL_ROUNDS

# Seconds that a trial takes beside its warm-up and its window, as measured: the load generator's
# start and end, what a service that waits still has in hand, a service's new start.
TRIAL_OVERHEAD_S, DRAIN_S, RESTART_S = 0.6, 0.5, 1.0
PRACTICE_COSTS_S = 2.5  # for each service and kind of request
CHECK_COSTS_S = {"http2": 10.0}  # for each service, which it starts anew up to three times


@dataclass(frozen=True)
class PlannedTrial:
    """One service at one level in one round. `arm` is `service`, or `service#2` for its
    A/A twin.
    """

    experiment: Experiment
    index: int  # place in the whole schedule, from 0
    round: int  # from 1
    order: int  # place within the round, from 1
    arm: str
    service: str
    level: Level

    @property
    def recorded(self) -> dict[str, Any]:
        """What the record of the trial says of its place in the plan."""
        return {
            "experiment": self.experiment.name,
            "index": self.index,
            "round": self.round,
            "order": self.order,
            "arm": self.arm,
            "service": self.service,
            "level": self.level.label,
            "scenario": self.level.scenario,
            "parameters": self.level.parameters,
        }

    @property
    def seconds(self) -> float:
        """Estimated time of the trial, in seconds."""
        load, scenario = self.level.load, scenarios.choose(self.level.scenario)
        waits = scenario.latency_s(scenario.filled(self.level.parameters)) is not None
        return (
            self.own_s
            + max(load.think_s, load.connections * OPENING_INTERVAL_S)
            + TRIAL_OVERHEAD_S
            + (DRAIN_S if waits else 0.0)
            + (RESTART_S if self.experiment.restarts else 0.0)
        )

    @property
    def own_s(self) -> float:
        """Warm-up and window, in seconds."""
        return self.experiment.warmup_s + self.experiment.duration_s


def plan(
    experiments: Mapping[str, Experiment], name: PlanName, rounds: int | None = None
) -> list[Experiment]:
    """The experiments of a plan: quick = the headline ones, lesson = in the order of the lessons.

    The others are whole: full has the lesson's claims, field those about the rest of the field,
    published other people's comparisons.

    Short plans leave some of their services and levels out, and end after eight rounds what is
    still open then. With `rounds` every experiment has exactly so many.
    """
    if rounds is not None and rounds < SMALLEST_RUN:
        raise ExperimentError(
            f"{number_of(rounds, 'round')} {agree(rounds, 'gives', 'give')} no interval; "
            f"ask for at least {SMALLEST_RUN}, better 6 or 12"
        )
    roomy = {key: replace(each, longest_s=ROOM_S[name]) for key, each in experiments.items()}
    if name not in ("quick", "lesson"):
        whole = [each for each in roomy.values() if name == "published" or each.plan == name]
        return [_limited(each, each.rounds, rounds) for each in whole]
    if name == "quick":
        chosen = [each for each in roomy.values() if each.headline]
        return [_limited(_shortened(each), SHORT_ROUNDS, rounds) for each in chosen]
    chosen = [each for each in roomy.values() if each.lesson]
    chosen.sort(key=lambda each: each.lesson)
    return [_limited(_shortened(each), SHORT_ROUNDS, rounds) for each in chosen]


def _limited(experiment: Experiment, most: int, exactly: int | None) -> Experiment:
    """The experiment with looks and a limit, or with a number of rounds that nothing changes."""
    if exactly:
        return replace(experiment, rounds=exactly, looks=())
    limit = min(experiment.rounds, most)
    return replace(experiment, rounds=limit, looks=sequential.looks_within(limit))


def _shortened(experiment: Experiment) -> Experiment:
    """What the short plans have of an experiment."""
    return replace(
        experiment,
        services=tuple(
            service for service in experiment.services if service not in experiment.full_services
        ),
        levels=tuple(level for level in experiment.levels if level.quick),
    )


def narrow(experiment: Experiment, services: Collection[str]) -> Experiment:
    """The experiment with only those of its services that are in `services`.

    An experiment without its reference service, or without any service, is an error.
    """
    kept = tuple(service for service in experiment.services if service in services)
    if not kept:
        raise ExperimentError(
            f"{experiment.name}: none of its services ({', '.join(experiment.services)}) can run "
            f"here; here are: {', '.join(services) or 'none'}"
        )
    if experiment.reference not in kept:
        raise ExperimentError(
            f"{experiment.name}: its reference service {experiment.reference} is missing; "
            f"add it to the services ({', '.join(services)}) or name another reference in the file"
        )
    return replace(experiment, services=kept)


def schedule(experiments: Sequence[Experiment], seed: int) -> list[PlannedTrial]:
    """Every trial in its order, from `seed` alone.

    A round runs the levels in random order, and within a level each arm once, in random order. So
    compared arms run close together in time, and slow drift cancels in their ratio.
    An experiment's shuffles depend on its own name and the seed, not on what else is in the plan.
    """
    trials: list[PlannedTrial] = []
    for experiment in experiments:
        rng = random.Random(f"{seed}:{experiment.name}")
        for number in range(1, experiment.rounds + 1):
            trials += _round(experiment, number, len(trials), rng)
    return trials


Looks = Mapping[str, Sequence[Looked]]  # by experiment


def wanted(trials: Iterable[PlannedTrial], looks: Looks) -> list[PlannedTrial]:
    """Those of `trials` that no look so far has made needless.

    What its level and its service had to decide was decided before. The twin goes on with the
    reference.
    """
    return [
        each
        for each in trials
        if all(
            each.round <= look.rounds or each.service in look.open.get(each.level.label, ())
            for look in looks.get(each.experiment.name, ())
        )
    ]


def expected(trials: Iterable[PlannedTrial], looks: Looks) -> list[PlannedTrial]:
    """Those of `trials` that the run will have, as far as can be told.

    Most levels are decided before the last round. One that was open at a look gets one look more.
    """
    last = {name: max(each.rounds for each in found) for name, found in looks.items() if found}
    return [
        each
        for each in wanted(trials, looks)
        if each.round
        <= sequential.usual(each.experiment, each.level.label, last.get(each.experiment.name, 0))
    ]


def estimate_s(trials: Sequence[PlannedTrial]) -> float:
    """Estimated time of the trials, in seconds, without set-up.

    It includes what runs before the trials: each service practises each kind of request. Where
    loads are a share of a peak, the peak is found first.
    """
    practised = {(t.service, t.level.scenario) for t in trials if not t.experiment.restarts}
    peaks = {
        (t.experiment.name, t.service): t.own_s + TRIAL_OVERHEAD_S
        for t in trials
        if t.experiment.peak
    }
    before = PRACTICE_COSTS_S * len(practised) + sum(peaks.values())
    return before + sum(trial.seconds for trial in trials)


def checks_s(experiments: Iterable[Experiment]) -> float:
    """Estimated time of what experiments without load check of their services, in seconds."""
    return sum(CHECK_COSTS_S.get(each.check, 0.0) * len(each.services) for each in experiments)


def _round(
    experiment: Experiment, number: int, start: int, rng: random.Random
) -> list[PlannedTrial]:
    arms = [(name, name) for name in experiment.services]
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
