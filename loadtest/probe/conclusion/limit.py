"""A service at its limit: the steps that show it, and whether the CPU is what it lacks. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from loadtest.probe import growth
from loadtest.probe.record import Sighting, Slots, Step

FULL_CORE, FULL_MACHINE, FULL_LOAD = 0.85, 0.05, 0.85
BUSY_CORE = 0.6  # of a server whose requests wait for nothing: it waits for the load, or for cores
COUNTS_AS_BUSY = 0.3  # cores of a server on a machine that has none left
ANSWER_COSTS_CPU = 0.6  # of the wait is CPU: then more slots on one core give little
CROWDED_COSTS = 0.4  # the same where others made it wait for a core
CROWDED = 0.5  # of the cores: so much makes requests wait that wait for nothing else
LEAST_CPU_S = 0.05  # the kernel counts hundredths: less tells no cost


@dataclass(frozen=True)
class Full:
    """The steps at which the service could do no more; `rps` is then its rate."""

    steps: tuple[Step, ...]
    rps: float
    slots: Slots

    @property
    def workers(self) -> tuple[float, ...]:
        """Cores used by each process of the server, at most."""
        known = [each.workers for each in self.steps if each.workers]
        return tuple(map(max, zip(*known, strict=False))) if known else ()

    @property
    def server(self) -> float | None:
        """Cores used by the server, by the steps' answers."""
        known = [each for each in self.steps if each.workers]
        answers = sum(each.answered for each in known)
        return sum(each.server * each.answered for each in known) / answers if answers else None

    @property
    def cpu_s(self) -> float | None:
        """CPU seconds of the server for one answer."""
        used = self.server
        seen_s = sum(each.server * each.lasted_s for each in self.steps)
        return None if used is None or not self.rps or seen_s < LEAST_CPU_S else used / self.rps

    @property
    def threads(self) -> int:
        """Of one process."""
        return max((each.threads for each in self.steps), default=0)

    @property
    def taken(self) -> int | None:
        """Requests that the server had read while far more were there for it."""
        known = [
            each.taken
            for each in self.steps
            if each.taken is not None and each.connections > self.slots.value
        ]
        return max(known) if known else None


def full(seen: Sighting, slots: Slots) -> Full | None:
    """The service at its limit; None where the probe did not reach it."""
    known = growth.sound(seen.steps)
    at = growth.plateau(seen.steps)
    if at is not None:
        later = tuple(each for each in known if each.connections >= at.begins)
        return Full(later, at.rps, slots)
    if not slots.at_least and known:
        last = max(known, key=lambda each: each.connections)
        return Full((last,), last.rps, slots)
    return None


def load_is_full(at: Full) -> bool:
    """Whether the load generator used its core up."""
    return max(each.generator for each in at.steps) >= FULL_LOAD


def cpu_is_full(seen: Sighting, at: Full) -> bool:
    """Whether the server used all the CPU that it can, or that others left it."""
    server, used, workers = seen.server, at.server, at.workers
    if server is None or used is None:
        return False
    one_full = server.one_core and max(workers) >= FULL_CORE
    if one_full or used >= FULL_CORE * server.cores:
        return True
    # Of one alone the usual time counts: other programs make a few take far longer.
    crowded = others(at) >= CROWDED * seen.cores
    if (at.cpu_s or 0.0) < (CROWDED_COSTS if crowded else ANSWER_COSTS_CPU) * seen.alone.p50_s:
        return False
    if server.one_core and max(workers) >= BUSY_CORE:
        return True
    # It computes, and does no more of it: others have the cores, or it may not use them.
    return used >= COUNTS_AS_BUSY and (nothing_left(seen, at) or not load_is_full(at))


def others(at: Full) -> float:
    """Cores that other programs took meanwhile, at most."""
    return max((each.others or 0.0 for each in at.steps), default=0.0)


def nothing_left(seen: Sighting, at: Full) -> bool:
    """Whether no core of the machine was idle, whoever used them."""
    known = [each.idle for each in at.steps if each.idle is not None]
    return bool(known) and min(known) <= FULL_MACHINE * seen.cores
