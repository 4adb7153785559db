"""Trials of services of the user's own: what the lab's own export is simply absent."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from loadtest.backends.asking import SAFE, NoAnswer, ask
from loadtest.backends.own import OwnServices
from loadtest.engine.kinds import Closed
from loadtest.model.experiment import Background, Level
from loadtest.model.load import Load, LoadResult
from loadtest.run.load import LoadError
from loadtest.run.measurement import LONGEST_PHASE_S, PRACTICE_CONNECTIONS, PRACTICE_S, Measurement
from loadtest.run.own import processes
from loadtest.run.own.introduction import Introduction
from loadtest.run.own.sampling import TreeSampler
from loadtest.run.sampler import ServiceSide

FASTEST_RPS = 500_000  # no load sends more; 140,000 were seen of one core


class OwnMeasurement(Measurement):
    """Takes trials of services that `introduction` has made ready."""

    def __init__(self, backend: OwnServices, introduction: Introduction, **options: Any) -> None:
        super().__init__(backend, **options)
        self._own = backend
        self._introduction = introduction
        self._limit = introduction.limit
        self._rates: dict[tuple[str, str], float] = {}  # requests/s, by service and level

    def _learn(self, service: str) -> Mapping[str, Any]:  # noqa: ARG002
        return {}

    def _asks(self, service: str, level: Level) -> str:
        return level.asked[service].url

    def _practice(self, level: Level) -> tuple[Load, float]:
        """No more at once, and no longer, than a trial."""
        at_once = min(PRACTICE_CONNECTIONS, level.load.connections)
        return Load(Closed.name, at_once), min(PRACTICE_S, self._introduction.window_s)

    def _particulars(self, service: str, level: Level) -> Mapping[str, Any]:
        asked = replace(level.asked[service], content=self._introduction.body(level))
        return {"request": asked, "requests_at_most": self._limit.left}

    def _run(
        self,
        service: str,
        asked: Load,
        level: Level,
        warmup_s: float,
        duration_s: float,
        seed: int,
        entered: Callable[[str], None] = lambda _: None,
        background: Background | None = None,
    ) -> LoadResult:
        """One load, if there seems to be room for it; it stops where there is none after all."""
        place, lasts_s = (service, level.label), warmup_s + duration_s
        self._limit.require(max(1, self._rates.get(place, 0.0) * lasts_s))
        lasts, began = (warmup_s, duration_s), time.monotonic()
        try:
            result = super()._run(service, asked, level, *lasts, seed, entered, background)
        except LoadError:
            self._limit.guess(FASTEST_RPS * (time.monotonic() - began))
            raise
        sent = result.sent_in_warmup + result.sent + result.resent
        self._limit.sent += sent
        self._rates[place] = sent / lasts_s
        self._limit.require()  # with nothing left it was cut short
        return result

    def _settled(self, service: str) -> bool:
        """Whether it answers in time: what the trial before left in its queue is worked off."""
        target = self._own.own[service].target
        if target.method not in SAFE:
            return True
        self._limit.take_one()
        try:
            ask(target)
        except NoAnswer:
            return False
        return True

    def _watched(self, service: str) -> Mapping[str, Collection[int]]:
        found = processes.of(self._own, service)
        return {service: found} if found else {}

    def _sampler(self, service: str) -> ServiceSide:
        return TreeSampler(self._own.pid(service))

    def _over_sockets(self, level: Level) -> bool:  # noqa: ARG002
        return False

    def _phase_s(self, level: Level, seed: int) -> float:  # noqa: ARG002
        """Nothing tells how long requests wait, so it is drawn from the longest phase."""
        return random.Random(seed).random() * LONGEST_PHASE_S
