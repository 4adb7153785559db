"""More and more connections, until more of them bring no more answers."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from loadtest.probe import growth
from loadtest.probe.limits import Allowance, most_in_time
from loadtest.probe.moments import Asker, Asking, Moment
from loadtest.probe.parts.looks import AtServer, Counters, Looks
from loadtest.probe.parts.witness import Witness
from loadtest.probe.processes import Serving
from loadtest.probe.record import Step

PRECISE = 0.02  # standard error of a rate, at which a step is long enough
SHORTEST_STEP_S, LONGEST_STEP_S = 0.6, 4.0
MANY_WAITS, FEW_WAITS = 5, 2  # times the wait, that a step lasts: with much time, with little
LONGER = 1.6  # × that, where answers vary
STEPS_LIKELY, MANY_STEPS, FEW_STEPS = 6, 15, 10
ENOUGH_ANSWERS = 3000
FAILURES_TELL = 40
QUEUE_LOOKS = 5
QUEUE_S = 5.0  # so long may a queue be that the probe makes
SHARE = 0.65  # of the time, for the ramp
OVERLOAD = 64  # connections
TAKEN_AGAIN = 2  # times that a disturbed step is taken again
ROOM = 4  # × what it took: so much has to be left, as other steps are to come


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
        self._looks = Looks(asker, stream, serving)
        self._guess_s = guess_s
        waits = SHARE * self._allowance.seconds / (STEPS_LIKELY * max(guess_s, 1e-6))
        self._waits = int(min(MANY_WAITS, max(FEW_WAITS, waits)))
        self._shortest_s = min(SHORTEST_STEP_S, self._allowance.seconds / MANY_STEPS)
        self._longest_s = min(LONGEST_STEP_S, self._allowance.seconds / FEW_STEPS)
        self._spread = 1.0  # of the wait, as a share of it
        self._lasting: set[str] = set()  # what disturbed a step however often it was taken

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
            # Two at once tell most, and make no queue that lasts.
            in_time = max(2, most_in_time(last.rps, self._allowance.timeout_s))
            wanted = min(limit, last.connections * self._factor(), in_time)
        elif last.connections > growth.OVER * at.begins:
            return None  # it was asked for far more than it can, too
        else:
            in_time = most_in_time(at.rps, self._allowance.timeout_s)
            queue = min(int(at.rps * QUEUE_S), in_time)
            wanted = min(max(OVERLOAD, 4 * last.connections), queue, limit)
        return wanted if wanted > last.connections else None

    def _factor(self) -> int:
        """By how much the connections grow: in larger steps where there is little time."""
        left_s = SHARE * self._allowance.seconds - self._allowance.spent_s
        step_s = max(self._shortest_s, (self._waits + 1.5) * self.wait_s)
        doublings = math.log2(self._allowance.connections / self.steps[-1].connections)
        return 2 if left_s > step_s * doublings else 4

    def _step(self, connections: int) -> None:
        step = self._measured(connections, settles=bool(self.steps))
        if step is None:
            return
        try:
            step = self._undisturbed(step)
        finally:  # what ends it meanwhile leaves what was measured first
            self._keep(step)

    def _keep(self, step: Step) -> None:
        self.steps.append(step)
        if len(self.steps) == 1 and step.mean_s:
            self._spread = step.spread_s / step.mean_s
        self._tell(step)

    def _undisturbed(self, step: Step) -> Step:
        """The step, taken again where something disturbed it, as often as that makes sense."""
        found: dict[str, None] = {}
        for _ in range(TAKEN_AGAIN):
            if not step.disturbed or not self._room_for(step):
                break
            again = self._measured(step.connections, settles=True)
            if again is None or not again.answered:
                break
            found[step.disturbed] = None
            step = replace(again, retaken=", ".join(found))
        if step.disturbed:
            self._lasting.add(step.disturbed)
        return step

    def _room_for(self, step: Step) -> bool:
        """Whether it may be taken again, and enough is left for the steps to come."""
        allowance = self._allowance
        takes_s = step.lasted_s + self._settling_s
        left_s = SHARE * allowance.seconds - allowance.spent_s
        requests = step.answered + sum(step.errors.values()) + step.connections
        left = allowance.requests - allowance.sent
        fits = ROOM * takes_s <= left_s and ROOM * requests <= left
        return fits and step.disturbed not in self._lasting

    @property
    def _settling_s(self) -> float:
        return 1.2 * self.wait_s + 0.1

    def _measured(self, connections: int, *, settles: bool) -> Step | None:
        """One measurement of a step; None where nothing was left for it."""
        asker, settled = self._asker, self._settling_s
        # From before its first request: what stops just before the window leaves a queue in it.
        with Witness(asker.engine, self._serving, self._shortest_s / 2) as witness:
            asker.open(self._stream, connections)
            asker.run(lambda: asker.engine.opened >= connections, settled + connections * 0.01)
            asker.run(lambda: False, settled if settles else 0.0)
            witness.window_begins()
            step = self._window(connections)
        return witness.noted(step) if step else None

    def _window(self, connections: int) -> Step | None:
        stream, wait_s = self._stream, self.wait_s
        before, begun = self._looks.counters(), len(stream.moments)
        longest_s = min(
            max(self._longest_s, LONGER * self._waits * wait_s),
            max(0.0, self._allowance.left_s - 1),
        )
        looks = self._watch(before.at, begun, longest_s)
        if self.steps and len(stream.moments) == begun and self._allowance.used_up:
            return None
        return self._seen(connections, before, stream.moments[begun:], looks)

    @property
    def _lasts_s(self) -> float:
        """How long the next step lasts at least; of a full service a step tells most."""
        shortest_s = max(self._shortest_s, self._waits * self.wait_s)
        full = self.steps and self.steps[-1].mean_s > growth.QUEUES * self.wait_s
        return 2 * shortest_s if full else shortest_s

    def _watch(self, began: float, begun: int, longest_s: float) -> list[AtServer]:
        """Let the step last as long as it has to; what the looks at the server saw."""
        looks: list[AtServer] = []
        shortest_s = self._lasts_s
        every_s = shortest_s / QUEUE_LOOKS
        while not self._allowance.used_up:
            looks += self._looks.look(every_s, few=len(looks) < 4 * QUEUE_LOOKS)
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

    def _seen(
        self,
        connections: int,
        before: Counters,
        moments: Sequence[Moment],
        looks: Sequence[AtServer],
    ) -> Step:
        after = self._looks.counters()
        lasted_s = max(after.at - before.at, 1e-6)
        used, cores = after.used(before), min(before.cores, after.cores)
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
            threads=max((each.threads for each in looks if used), default=0),
            taken=int(statistics.median(taken)) if taken else None,
            unread=max((each.unread for each in looks), default=None),
            ready=statistics.fmean(each.ready for each in looks) if used and looks else None,
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
