"""How long the rest of a run takes, by how long its trials have taken so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from loadtest.model.counts import number_of
from loadtest.plan.plans import SERVICE_SETUP_S
from loadtest.plan.schedule import PlannedTrial

Place = tuple[str, int]
_SURE_AFTER_S = 20.0  # of trials; before that the plan's estimate counts as well


class Pace:
    """`expected` are the trials that the run will have, as far as can be told; it may change."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.expected: Sequence[PlannedTrial] = ()
        self._clock = clock
        self._began: float | None = None
        self._done: set[Place] = set()
        self._spent_s = self._planned_s = 0.0

    @property
    def done(self) -> int:
        """How many of the expected trials have ended."""
        return sum(_place(each) in self._done for each in self.expected)

    def begin(self) -> None:
        """A trial starts; so does the time that counts."""
        self._began = self._clock()

    def end(self, planned: PlannedTrial) -> None:
        """The trial has ended for good. One of an earlier part of the run took no time now."""
        self._done.add(_place(planned))
        if self._began is not None:
            self._spent_s += self._clock() - self._began
            self._planned_s += planned.seconds
            self._began = None

    @property
    def left_s(self) -> float:
        """Seconds for the trials that are left, and for services that none was taken of yet."""
        left = [each for each in self.expected if _place(each) not in self._done]
        seen = {each.service for each in self.expected if _place(each) in self._done}
        coming = {each.service for each in left} - seen
        ratio = (self._spent_s + _SURE_AFTER_S) / (self._planned_s + _SURE_AFTER_S)
        return ratio * sum(each.seconds for each in left) + SERVICE_SETUP_S * len(coming)


def _place(planned: PlannedTrial) -> Place:
    return planned.experiment.name, planned.index


def minutes(seconds: float) -> str:
    """A duration in words that fit its length."""
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else number_of(round(seconds), "second")
