"""Why a figure is as it is: the slots that bind, else the CPU that a request takes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from loadtest.analysis import verdict
from loadtest.analysis.amounts import amount, percent
from loadtest.analysis.names import Names
from loadtest.analysis.observations import by_round
from loadtest.analysis.prediction import OFFERED, PAUSES, TAKEN
from loadtest.model.counts import number_of
from loadtest.model.criterion import Criterion
from loadtest.model.trial import Prediction, Trial
from loadtest.plan.measures import GOODPUT, MEASURES
from loadtest.stats.inference import MARGIN

_CPU = "service_cpu_us"
NEARLY = 1.25  # so far beyond the figure's interval a ratio of CPU still explains it
_ELSEWHERE = (PAUSES, TAKEN, OFFERED)  # limits that are none of the service's slots
_BOUNDS = {"pool": "database connections", "pooler": "the pooler's connections"}


def reason(
    criterion: Criterion,
    trials: Sequence[Trial],
    names: Names,
    interval: tuple[float, float] | None = None,
) -> str:
    """A clause for a sentence; empty where neither slots nor CPU explain the figure.

    `interval`: the figure's. Where it lies beyond 1 ± 5 %, as many slots in both are no reason yet.
    """
    measure = MEASURES[criterion.measure]
    sides = list(zip(criterion.sides, verdict.sides(criterion, names), strict=False))
    if verdict.inverted(criterion):
        sides.reverse()
    arms = [Arm(*side, said) for side, said in sides]
    trials = _together(trials, arms)
    slots = _slots(trials, arms) if measure.predicted else ""
    apart = interval and (interval[0] > 1 + MARGIN or interval[1] < 1 - MARGIN)
    if slots and apart and criterion.ratio and measure.name == GOODPUT:
        slots += _used(trials, arms)
    if slots or not criterion.ratio or measure.name != GOODPUT:
        return slots
    if interval and verdict.inverted(criterion):
        interval = 1 / interval[1], 1 / interval[0]
    return _cpu(trials, arms, interval)


class Arm(NamedTuple):
    """A service at a level, and what a sentence calls it."""

    service: str
    level: str
    said: str


def _together(trials: Sequence[Trial], arms: Sequence[Arm]) -> list[Trial]:
    """The trials of the rounds that all have: a machine may be slower in further rounds."""
    sides = [(arm.service, arm.level) for arm in arms]
    seen = [{t.round for t in trials if (t.arm, t.level) == side} for side in sides]
    both = set.intersection(*seen)
    return [trial for trial in trials if trial.round in both]


def _slots(trials: Sequence[Trial], arms: Sequence[Arm]) -> str:
    found = [_prediction(trials, arm) for arm in arms]
    known = [each for each in found if each and each.bound_by not in _ELSEWHERE]
    if len(known) < len(arms):
        return ""
    if {each.bound_by for each in known} == {"connections"}:
        return "fewer requests at once than slots"
    rooms = [_room(each) for each in known]
    parts = [f"{room} in {arm.said}" for room, arm in zip(rooms, arms, strict=True)]
    if len(rooms) > 1 and len(set(rooms)) == 1:
        parts = [f"{rooms[0]} in both"]
    wait_ms = amount(1000 * max(each.latency_s for each in known))
    return f"{' and '.join(parts)}, each taken for {wait_ms} ms"


def _used(trials: Sequence[Trial], arms: Sequence[Arm]) -> str:
    """How much of as many slots each used, by Little's law; empty where slots differ in number."""
    parts: list[str] = []
    slots: set[str] = set()
    for arm in arms:
        values = list(by_round(trials, GOODPUT, arm.level, arm.service).values())
        found = _prediction(trials, arm)
        if not values or not found:
            return ""
        slots.add(_room(found))
        busy = min(1.0, median(values) * found.latency_s / found.slots)
        parts.append(f"{percent(busy)} %{' of them' * (not parts)} in {arm.said}")
    return f"; used were {' and '.join(parts)}" if len(slots) == 1 else ""


def _room(prediction: Prediction) -> str:
    slots, bound = prediction.slots, prediction.bound_by
    return f"{number_of(slots, 'slot')} ({_BOUNDS.get(bound, bound)})"


def _prediction(trials: Sequence[Trial], arm: Arm) -> Prediction | None:
    found = (each for each in trials if (each.arm, each.level) == (arm.service, arm.level))
    return next((trial.prediction for trial in found), None)


def _cpu(trials: Sequence[Trial], arms: Sequence[Arm], interval: tuple[float, float] | None) -> str:
    """The CPU of a request in each; empty where it explains another figure than was measured."""
    parts: list[str] = []
    takes_us: list[float] = []
    for arm in arms:
        values = list(by_round(trials, _CPU, arm.level, arm.service).values())
        if not values:
            return ""
        of_cpu = "" if parts else " of CPU"
        takes_us.append(median(values))
        parts.append(f"{amount(takes_us[-1])} µs{of_cpu} in {arm.said}")
    own, other = takes_us
    if interval and not interval[0] / NEARLY <= other / own <= interval[1] * NEARLY:
        return ""
    return f"a request takes {' and '.join(parts)}"
