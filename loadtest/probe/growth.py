"""Rates, and where they stop growing. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.probe.record import Step
from loadtest.stats.inference import MARGIN

OVER = 2  # × the connections at which growth ended: so many show that it has
GREW = 0.9  # of the highest rate: below it a step still belongs to the growth
LEVEL = 0.95  # of the highest rate: from it on the first step belongs to the plateau
FAR_APART, LONG_QUEUE, SCATTER = 4, 2.5, 1.5  # connections, time of a request, rate
NO_QUEUE = 1.2  # × the wait: up to here a request waits for no other
QUEUES = 1.5  # × the wait: from there on requests wait for one another
SIGMAS = 2.0  # standard errors of a difference: less of it is chance
PART_WAITS, FEWEST_PARTS, MOST_PARTS = 3, 3, 8  # of a step whose parts are compared
FEWEST = 5  # answers of a step with a median
UNHURRIED = 0.02  # so much longer a request may take that waited for no other
NO_CORE_LEFT = 0.25  # cores that were idle
FAILS = 0.02  # share of answers: a step with more is no measure of what the service can
CROWDED = 0.5  # of the cores: so much of others makes requests wait that wait for nothing else


@dataclass(frozen=True)
class Plateau:
    """The rate that more connections do not raise; it begins at so many of them."""

    rps: float
    error: float  # standard error, as a share
    begins: int
    steps: tuple[Step, ...]


def sound(steps: Sequence[Step]) -> list[Step]:
    """The steps that measured what the service can."""
    return [each for each in steps if each.answered and each.failed <= FAILS]


def closes(steps: Sequence[Step]) -> bool:
    """Whether most answers took a new connection, whatever the server says of keeping it."""
    known = sound(steps)
    return 2 * sum(each.reconnects for each in known) > sum(each.answered for each in known)


def others(steps: Sequence[Step]) -> float:
    """Cores that other programs took meanwhile, at most."""
    return max((each.others or 0.0 for each in steps), default=0.0)


def others_crowd(steps: Sequence[Step], cores: int) -> bool:
    """Whether other programs took so much CPU that requests wait for a core."""
    return others(steps) >= CROWDED * cores


def plateau(steps: Sequence[Step]) -> Plateau | None:
    """Where the rate stopped growing, though the connections doubled; None where it did not."""
    known = sorted(sound(steps), key=lambda each: each.connections)
    if len(known) < 2:
        return None
    begins, least = _levelled(known) or _queued(known), LEVEL
    if begins is None:
        begins, least = _within_chance(known), 0.0  # its first step is as good as its last
    if begins is None:
        return None
    after = [each for each in known if each.connections >= begins]
    most = max(each.rps for each in after)
    level = [each for each in after if each.rps >= least * most or each.connections > begins]
    answers = sum(each.answered for each in level)
    rps = sum(each.rps * each.answered for each in level) / answers
    within = sum((each.error * each.answered) ** 2 for each in level) ** 0.5 / answers
    return Plateau(rps, math.hypot(within, _between(after)), begins, tuple(level))


def _between(steps: Sequence[Step]) -> float:
    """The standard error of a plateau, as a share, by how much its steps differ."""
    rates = [each.rps for each in steps]
    if len(rates) < 2 or min(rates) >= GREW * max(rates):
        return 0.0  # as each step's own error has it
    return statistics.stdev(rates) / statistics.fmean(rates) / math.sqrt(len(rates))


def _levelled(known: Sequence[Step]) -> int | None:
    """The connections from which on the rate is the highest, if twice as many brought no more."""
    most = max(each.rps for each in known)
    begins = next(each.connections for each in known if each.rps >= GREW * most)
    return begins if known[-1].connections >= OVER * begins else None


def _queued(known: Sequence[Step]) -> int | None:
    """The same for rates that scatter: four times as many brought hardly more, and all waited.

    Where nobody waited at one step and everybody at the next, growth ended in between.
    """
    wait_s, _ = unhurried(known)
    for number, one in enumerate(known):
        for other in known[number + 1 :]:
            far = other.connections >= FAR_APART * one.connections
            waits = other.littles_s >= LONG_QUEUE * wait_s
            free = _waited_s(one) <= NO_QUEUE * wait_s and other is known[number + 1]
            if far and waits and (free or other.rps <= SCATTER * one.rps):
                return one.connections
    return None


def _waited_s(step: Step) -> float:
    """What most requests of a step took: where no core is idle, a stall makes the mean long."""
    return min(step.littles_s, step.p50_s) if crowded(step) else step.littles_s


def _within_chance(known: Sequence[Step]) -> int | None:
    """The same where the last step is higher by no more than chance, though its requests wait."""
    wait_s, _ = unhurried(known)
    last = known[-1]
    if last.littles_s < QUEUES * wait_s:
        return None
    most = last.rps * (1 - 1 / SCATTER)  # so much is growth, however rates scatter
    for one in known:
        chance = min(most, SIGMAS * math.hypot(one.error * one.rps, last.error * last.rps))
        if last.connections >= OVER * one.connections and last.rps - one.rps <= chance:
            return one.connections
    return None


def gap(steps: Sequence[Step]) -> int | None:
    """Connections between the last two steps, where growth ended somewhere between them.

    A rate may seem to have stopped too early: two connections fell to one of two processes. Then
    the step with far more connections shows a higher rate, and how many it takes is not known.
    """
    known = sorted(sound(steps), key=lambda each: each.connections)
    if len(known) < 2 or plateau(known) is not None:
        return None
    wait_s, _ = unhurried(steps)
    before, last = known[-2:]
    far = last.connections > OVER * before.connections
    waits = last.littles_s >= QUEUES * wait_s
    return math.isqrt(before.connections * last.connections) if far and waits else None


def crowded(step: Step) -> bool:
    """Whether the machine had no idle core: then some answers are late for that alone."""
    return step.idle is not None and step.idle < NO_CORE_LEFT


def unhurried(steps: Sequence[Step]) -> tuple[float, float]:
    """Mean of the time that a request takes where none waits for another, and its standard error.

    From one request at a time, and from all steps at which it took no longer. On a machine without
    an idle core some answers are late for that alone: there medians are taken.
    """
    alone = steps[0]
    name = "p50_s" if crowded(alone) else "mean_s"
    chance = alone.spread_s / max(alone.mean_s, 1e-9) / max(alone.answered, 1) ** 0.5
    slowest_s = getattr(alone, name) * (1 + UNHURRIED + SIGMAS * chance)
    quick = [each for each in sound(steps) if getattr(each, name) <= slowest_s] or [alone]
    answers = sum(each.answered for each in quick)
    taken_s = sum(getattr(each, name) * each.answered for each in quick) / max(answers, 1)
    spread = alone.spread_s / alone.mean_s if alone.mean_s else 0.0
    return taken_s, spread / max(answers, 1) ** 0.5


def median(took: Sequence[float], waiting: int) -> float | None:
    """The median of a step, `took` in rising order; None where it is not known.

    `waiting` requests had no answer yet. It must stay within 5 % whether they turn out to be the
    slowest or the quickest of all.
    """
    place = (len(took) + waiting - 1) // 2
    if len(took) < FEWEST or place >= len(took) or place < waiting:
        return None
    return took[place] if took[place - waiting] >= (1 - MARGIN) * took[place] else None


def rate(ended: Sequence[float], lasted_s: float) -> float:
    """Answers a second from the moments at which they ended.

    The slope of their number over time: exact for answers in groups too, where a count would
    depend on how many groups the window happens to hold.
    """
    moments = sorted(ended)
    if len(moments) < 3 or moments[-1] - moments[0] < lasted_s / 4:
        return len(moments) / lasted_s if lasted_s > 0 else 0.0
    return statistics.linear_regression(moments, range(len(moments))).slope


def scatter(ended: Sequence[float], began: float, lasted_s: float, wait_s: float) -> float:
    """The standard error of a rate, as a share of it, from how the parts of its window differ.

    A part lasts for several waits, as answers may come in groups; 0 where too few of them fit.
    """
    count = min(MOST_PARTS, int(lasted_s / max(PART_WAITS * wait_s, 1e-6)))
    if count < FEWEST_PARTS or len(ended) < FEWEST * count:
        return 0.0
    part_s = lasted_s / count
    parts: list[list[float]] = [[] for _ in range(count)]
    for each in ended:
        parts[min(count - 1, max(0, int((each - began) / part_s)))].append(each)
    rates = [rate(each, part_s) for each in parts]
    mean = statistics.fmean(rates)
    return statistics.stdev(rates) / mean / math.sqrt(count) if mean else 0.0
