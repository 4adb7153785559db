"""More and more connections, until more of them bring no more answers."""

from __future__ import annotations

import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from loadtest.probe import growth, processes
from loadtest.probe.limits import Allowance
from loadtest.probe.moments import Asker, Asking, Moment
from loadtest.probe.processes import Serving
from loadtest.probe.record import Step
from loadtest.run.witnesses import procfs

PRECISE = 0.02  # standard error of a rate, at which a step is long enough
SHORTEST_STEP_S, LONGEST_STEP_S = 0.6, 4.0
MANY_WAITS, FEW_WAITS = 5, 2  # times the wait, that a step lasts: with much time, with little
LONGER = 1.6  # × that, where answers vary
STEPS_LIKELY, MANY_STEPS, FEW_STEPS = 6, 15, 10
ENOUGH_ANSWERS = 3000
FAILURES_TELL = 40
QUEUE_LOOKS, STATES_A_LOOK = 5, 4
QUEUE_S = 5.0  # so long may a queue be that the probe makes
SHARE = 0.65  # of the time, for the ramp
OVERLOAD = 64  # connections


@dataclass(frozen=True)
class _Before:
    """Counters at the beginning of a step."""

    at: float
    cpu_s: tuple[float, ...]
    own_s: float
    idle_s: float
    stolen_s: float
    reconnects: int


class _AtServer(NamedTuple):
    """At a server: requests in hand, those that it has not read, its threads, ready processes."""

    in_hand: int
    unread: int
    threads: int
    ready: float


class Ramp:
    """Measures one step after another on the same connections; `tell` gets each."""

    def __init__(
        self,
        asker: Asker,
        stream: Asking,
        serving: Serving | None,
        guess_s: float,
        tell: Callable[[Step], None],
    ) -> None:
        self.steps: list[Step] = []
        self._asker, self._stream, self._serving, self._tell = asker, stream, serving, tell
        self._allowance: Allowance = asker.allowance
        self._guess_s = guess_s
        waits = SHARE * self._allowance.seconds / (STEPS_LIKELY * max(guess_s, 1e-6))
        self._waits = int(min(MANY_WAITS, max(FEW_WAITS, waits)))
        self._shortest_s = min(SHORTEST_STEP_S, self._allowance.seconds / MANY_STEPS)
        self._longest_s = min(LONGEST_STEP_S, self._allowance.seconds / FEW_STEPS)
        self._spread = 1.0  # of the wait, as a share of it

    @property
    def wait_s(self) -> float:
        """What one request takes alone."""
        return self.steps[0].mean_s if self.steps else self._guess_s

    def climb(self) -> None:
        """Every step that tells something."""
        self._step(1)
        while (connections := self._next()) is not None:
            self._step(connections)
        while (connections := self._between()) is not None:
            self._step(connections)

    def _between(self) -> int | None:
        """How many connections would show where growth ended, if it was stepped over."""
        spent = self._allowance.spent_s > SHARE * self._allowance.seconds
        between = growth.gap(self.steps)
        if between is None or spent or self._allowance.used_up or failing(self.steps[-1]):
            return None
        most_s = min(LONGEST_STEP_S, 2 * self.steps[-1].littles_s + 0.1)
        return between if self._asker.close_some(self._stream, between, most_s) else None

    def _next(self) -> int | None:
        """How many connections come next; None where more of them tell nothing, or may not be."""
        last, limit = self.steps[-1], self._allowance.connections
        spent = self._allowance.spent_s > SHARE * self._allowance.seconds
        if spent or self._allowance.used_up or last.connections >= limit or failing(last):
            return None
        at = growth.plateau(self.steps)
        if at is None:
            return min(limit, last.connections * self._factor())
        if last.connections > growth.OVER * at.begins:
            return None  # it was asked for far more than it can, too
        rps = max(at.rps, 1e-9)
        overload = min(max(OVERLOAD, 4 * last.connections), int(rps * QUEUE_S), limit)
        return overload if overload > last.connections else None

    def _factor(self) -> int:
        """By how much the connections grow: in larger steps where there is little time."""
        left_s = SHARE * self._allowance.seconds - self._allowance.spent_s
        step_s = max(self._shortest_s, (self._waits + 1.5) * self.wait_s)
        doublings = math.log2(self._allowance.connections / self.steps[-1].connections)
        return 2 if left_s > step_s * doublings else 4

    def _step(self, connections: int) -> None:
        asker, stream, wait_s = self._asker, self._stream, self.wait_s
        asker.open(stream, connections)
        settled = 1.2 * wait_s + 0.1
        asker.run(lambda: asker.engine.opened >= connections, settled + connections * 0.01)
        asker.run(lambda: False, settled if self.steps else 0.0)
        before, begun = self._read(), len(stream.moments)
        longest_s = min(
            max(self._longest_s, LONGER * self._waits * wait_s),
            max(0.0, self._allowance.left_s - 1),
        )
        looks = self._watch(before.at, begun, longest_s)
        if self.steps and len(stream.moments) == begun and self._allowance.used_up:
            return  # nothing was left for it
        step = self._seen(connections, before, stream.moments[begun:], looks)
        self.steps.append(step)
        if len(self.steps) == 1 and step.mean_s:
            self._spread = step.spread_s / step.mean_s
        self._tell(step)

    def _watch(self, began: float, begun: int, longest_s: float) -> list[_AtServer]:
        """Let the step last as long as it has to; what the looks at the server saw."""
        looks: list[_AtServer] = []
        shortest_s = max(self._shortest_s, self._waits * self.wait_s)
        if self.steps and self.steps[-1].mean_s > growth.QUEUES * self.wait_s:
            shortest_s *= 2  # of a full service a step tells most
        every_s = shortest_s / QUEUE_LOOKS
        while not self._allowance.used_up:
            looks += self._look(every_s, few=len(looks) < 4 * QUEUE_LOOKS)
            moments, lasted_s = self._stream.moments[begun:], self._asker.engine.now() - began
            if self._enough(moments, lasted_s, shortest_s):
                break
            if lasted_s >= longest_s and self._known(moments):
                break
        return looks

    def _known(self, moments: Sequence[Moment]) -> bool:
        """Whether there is a wait to go on with: a machine that stalls may eat the first step."""
        failed = any(each.error for each in moments)
        return bool(self.steps) or failed or len(moments) >= FEW_WAITS

    def _enough(self, moments: Sequence[Moment], lasted_s: float, shortest_s: float) -> bool:
        wrong = sum(bool(each.error) for each in moments)
        if wrong >= FAILURES_TELL and wrong > len(moments) / 20:
            return True
        if len(moments) >= ENOUGH_ANSWERS and lasted_s >= self._shortest_s / 2:
            return True
        if not self.steps:  # how much the wait varies is known only by what came
            took = [each.ended - each.begun for each in moments if not each.error]
            if len(took) < self._waits:
                return False
            self._spread = statistics.stdev(took) / max(statistics.fmean(took), 1e-9)
        return lasted_s >= shortest_s and len(moments) >= (self._spread / PRECISE) ** 2

    def _look(self, every_s: float, *, few: bool) -> list[_AtServer]:
        """Go on for so long; then requests in hand, those not read, threads, and ready processes.

        What computes changes faster than a queue, so it is looked at more often.
        """
        serving = self._serving
        if serving is None or not few:
            self._asker.run(lambda: False, every_s)
            return []
        ready = []
        for _ in range(STATES_A_LOOK):
            self._asker.run(lambda: False, every_s / STATES_A_LOOK)
            ready.append(serving.ready())
        waiting = processes.unread(serving.port)
        if waiting is None:
            return []
        threads, mean = serving.threads(), statistics.fmean(ready)
        return [_AtServer(self._stream.in_flight, waiting, threads, mean)]

    def _read(self) -> _Before:
        cores = procfs.cores()
        return _Before(
            at=self._asker.engine.now(),
            cpu_s=self._serving.cpu_s() if self._serving else (),
            own_s=time.process_time(),
            idle_s=sum(each.idle_s for each in cores.values()),
            stolen_s=sum(each.stolen_s for each in cores.values()),
            reconnects=self._stream.reconnects,
        )

    def _seen(
        self,
        connections: int,
        before: _Before,
        moments: Sequence[Moment],
        looks: Sequence[_AtServer],
    ) -> Step:
        after, cores = self._read(), len(procfs.cores())
        lasted_s = max(after.at - before.at, 1e-6)
        used = tuple(
            max(0.0, b - a) / lasted_s for a, b in zip(before.cpu_s, after.cpu_s, strict=True)
        )
        own, idle, stolen = (
            (getattr(after, name) - getattr(before, name)) / lasted_s
            for name in ("own_s", "idle_s", "stolen_s")
        )
        taken = [max(0, each.in_hand - each.unread) for each in looks]
        return replace(
            self._answers(connections, moments, before.at, lasted_s),
            reconnects=after.reconnects - before.reconnects,
            generator=own,
            workers=used,
            idle=idle if cores else None,
            others=max(0.0, cores - idle - stolen - own - sum(used)) if cores and used else None,
            threads=max((each.threads for each in looks), default=0),
            taken=int(statistics.median(taken)) if taken else None,
            unread=max((each.unread for each in looks), default=None),
            ready=statistics.fmean(each.ready for each in looks) if looks else None,
        )

    def _answers(
        self, connections: int, moments: Sequence[Moment], began: float, lasted_s: float
    ) -> Step:
        """A step as its answers alone tell it."""
        right = [each for each in moments if not each.error]
        ended = [each.ended for each in right]
        took = sorted(each.ended - each.begun for each in right)
        wait_s = self.wait_s if self.steps else statistics.fmean(took) if took else self._guess_s
        return Step(
            connections=connections,
            lasted_s=lasted_s,
            answered=len(took),
            rps=growth.rate(ended, lasted_s),
            error=max(
                max(self._spread, 0.01) / math.sqrt(max(len(took), 1)),
                growth.scatter(ended, began, lasted_s, wait_s),
            ),
            mean_s=statistics.fmean(took) if took else 0.0,
            spread_s=statistics.stdev(took) if len(took) > 1 else 0.0,
            p50_s=took[len(took) // 2] if took else 0.0,
            p95_s=took[int(len(took) * 0.95)] if took else 0.0,
            median_s=growth.median(took, connections),
            least_s=min(took, default=0.0),
            errors=dict(Counter(each.error for each in moments if each.error)),
        )


def failing(step: Step) -> bool:
    """Whether so much goes wrong that more connections would only do harm."""
    return step.failed > growth.FAILS or not step.answered
