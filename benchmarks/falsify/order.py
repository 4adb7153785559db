"""Which trials `make falsify` takes, and in which order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.falsify.scene import ITEM, JSON, ORDER, Disturbance
from loadtest.model.experiment import Experiment, Level
from loadtest.plan import reader
from loadtest.plan.schedule import PlannedTrial

EXPERIMENT = "framework-throughput"
SERVICES = ("fastapi-async", "flask-sync")
# What quiet trials are of, in turn: service, level, whether through the proxy as well.
_QUIET = (
    *((service, JSON, False) for service in SERVICES * 3),
    *((service, ITEM, False) for service in SERVICES),
    *((service, JSON, True) for service in SERVICES),
    (SERVICES[0], ORDER, False),
)


@dataclass(frozen=True)
class Place:
    """One trial of the order. `disturbance` is the name of one, or None where it is quiet."""

    disturbance: str | None
    service: str
    level: str
    proxied: bool


def order(seed: int, rounds: int, chosen: Sequence[Disturbance]) -> list[Place]:
    """Every trial, in the order of the seed.

    In a round each disturbance comes once. As many trials are quiet, and at least one of each kind
    that a disturbed one is compared with.
    """
    drawn = random.Random(seed)
    wanted = {
        (service, each.level, bool(each.fault)) for each in chosen for service in _services(each)
    }
    quiet = [one for one in _QUIET if one in wanted]
    count = max(len(chosen), len(wanted))
    places: list[Place] = []
    for number in range(rounds):
        block = [
            Place(each.name, drawn.choice(_services(each)), each.level, bool(each.fault))
            for each in chosen
        ]
        numbers = range(number * count, (number + 1) * count)
        block += [Place(None, *quiet[place % len(quiet)]) for place in numbers]
        drawn.shuffle(block)
        places += block
    return places


def _services(disturbance: Disturbance) -> tuple[str, ...]:
    return disturbance.services or SERVICES


def planned(place: Place, window_s: float | None = None) -> PlannedTrial:
    """The trial as the quick plan has it, but for the window where `window_s` is given."""
    experiment = reader.load_all()[EXPERIMENT]
    level = _level(experiment, place.level)
    changed = replace(
        experiment,
        services=SERVICES,
        levels=(level,),
        rounds=1,
        duration_s=window_s or experiment.duration_s,
    )
    return PlannedTrial(changed, 0, 1, 1, place.service, place.service, level)


def _level(experiment: Experiment, label: str) -> Level:
    if label == ORDER:  # the experiment has none
        return replace(_level(experiment, JSON), label=ORDER, scenario="order", parameters={})
    found = experiment.level(label)
    assert found is not None
    return found
