"""What a probe would see of services whose slots, wait and CPU are given."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

from loadtest.probe.record import Glance, Server, Sighting, Step, Wave

GLANCE = Glance(200, "HTTP/1.1", "", 6, 0.1, 0.1, 0.0005, True, True)
URL = "http://127.0.0.1:8000/slow"


def ended(
    slots: int, wait_s: float, connections: int, lasts_s: float, jitter: float = 0.0
) -> list[float]:
    """The moments at which answers end, in a closed load on so many slots."""
    chance = random.Random(1)
    free = [0.0] * min(slots, connections)
    moments = []
    while min(free) < lasts_s:
        place = free.index(min(free))
        free[place] += wait_s * chance.uniform(1 - jitter, 1 + jitter)
        moments.append(free[place])
    return [each for each in moments if each <= lasts_s]


def step(
    connections: int, slots: float, wait_s: float, cpu_s: float = 0.0005, **known: object
) -> Step:
    """A step as slots ÷ wait and Little's law have it; one process of the server does all."""
    rps = min(connections, slots) / wait_s
    mean_s = connections / rps
    found = Step(
        connections=connections,
        lasted_s=2.0,
        answered=round(2 * rps),
        rps=rps,
        error=0.01,
        mean_s=mean_s,
        spread_s=0.001 * wait_s,
        p50_s=mean_s,
        p95_s=mean_s,
        median_s=mean_s,
        generator=0.05,
        workers=(rps * cpu_s,),
        idle=1.5,
        others=0.1,
        threads=1,
    )
    return replace(found, **known)  # type: ignore[arg-type]


def ramp(
    slots: float, wait_s: float, limit: int, cpu_s: float = 0.0005, **known: object
) -> tuple[Step, ...]:
    """Doublings up to the limit, or until the third step beyond the slots."""
    found = []
    connections = 1
    while connections <= limit:
        found.append(step(connections, slots, wait_s, cpu_s, **known))
        if connections > 4 * slots:
            break
        connections *= 2
    return tuple(found)


def waves(slots: int, wait_s: float, count: int, jitter: float = 0.0) -> tuple[Wave, ...]:
    """Four waves of `count` requests on so many slots."""
    chance = random.Random(2)
    found = []
    for _ in range(4):
        free = [0.0] * slots
        took = []
        for _ in range(count):
            place = free.index(min(free))
            free[place] += wait_s * chance.uniform(1 - jitter, 1 + jitter)
            took.append(free[place])
        found.append(Wave(tuple(sorted(took))))
    return tuple(found)


def server(**known: object) -> Server:
    """A Python server with one process and one thread on a machine of two cores."""
    return replace(Server("gunicorn", 1, 1, False, 2), **known)  # type: ignore[arg-type]


def seen(steps: Sequence[Step], **known: object) -> Sighting:
    """A probe with these steps."""
    found = Sighting(
        url=URL, method="GET", glance=GLANCE, steps=tuple(steps), limit=256, cores=2, sent=1000
    )
    return replace(found, **known)  # type: ignore[arg-type]


def full(slots: int, wait_s: float = 0.1, limit: int = 256, **known: object) -> tuple[Step, ...]:
    """A ramp over a service that leaves all requests unread but those it works on."""
    return tuple(
        replace(
            each,
            taken=min(each.connections, slots),
            unread=max(0, each.connections - slots),
            **known,  # type: ignore[arg-type]
        )
        for each in ramp(slots, wait_s, limit)
    )


def crowded(steps: Sequence[Step], used: float, ready: float = 0.5) -> tuple[Step, ...]:
    """The same at a machine that others fill, where the server takes so much of a core."""
    return tuple(
        replace(each, others=1.5, idle=0.02, workers=(used,), ready=ready) for each in steps
    )


def read_all(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The same steps at a service that reads every request at once."""
    return tuple(replace(each, taken=each.connections, unread=0) for each in steps)


def spaced(count: int, every_s: float, first_s: float) -> Wave:
    """Answers that end one after another."""
    return Wave(tuple(first_s + number * every_s for number in range(count)))


def near(value: float, wanted: float, share: float = 0.1) -> bool:
    """Within a share of what is wanted."""
    return math.isclose(value, wanted, rel_tol=share)
