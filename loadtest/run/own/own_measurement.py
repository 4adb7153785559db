"""Trials of services of the user's own: what the lab's own export is simply absent."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from loadtest.backends.asking import NoAnswer, ask
from loadtest.backends.own import OwnServices
from loadtest.engine.kinds import Closed
from loadtest.errors import LabError
from loadtest.model.counts import were
from loadtest.model.experiment import Background, Level
from loadtest.model.load import Load, LoadResult
from loadtest.model.target import Target
from loadtest.run.measurement import LONGEST_PHASE_S, PRACTICE_CONNECTIONS, PRACTICE_S, Measurement
from loadtest.run.own.introduction import Introduction
from loadtest.run.own.sampling import TreeSampler
from loadtest.run.sampler import ServiceSide


class EnoughAsked(LabError):
    """As many requests were sent as may be."""


SETTLED_WITHIN_S = 10.0
_SAFE = ("GET", "HEAD", "OPTIONS")  # may be asked once more than needed


class OwnMeasurement(Measurement):
    """Takes trials of services that `introduction` has made ready."""

    def __init__(self, backend: OwnServices, introduction: Introduction, **options: Any) -> None:
        super().__init__(backend, **options)
        self._own = backend
        self._introduction = introduction
        self._sent = 0  # beside what the introduction has asked
        self._rates: dict[tuple[str, str], float] = {}  # requests/s, by service and level

    def _learn(self, service: str) -> Mapping[str, Any]:  # noqa: ARG002
        return {}

    def _asks(self, service: str, level: Level) -> str:
        return level.asked[service].url

    def _practice(self, level: Level) -> tuple[Load, float]:
        """No more at once, and no longer, than a trial."""
        at_once = min(PRACTICE_CONNECTIONS, level.load.connections)
        return Load(Closed.name, at_once), min(PRACTICE_S, self._introduction.window_s)

    def _request(self, service: str, level: Level) -> Target | None:
        return replace(level.asked[service], content=self._introduction.body(level))

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
        """One load, if it is not expected to be one request too many."""
        place, lasts_s = (service, level.label), warmup_s + duration_s
        self._require_room(self._rates.get(place, 0.0) * lasts_s)
        lasts = warmup_s, duration_s
        result = super()._run(service, asked, level, *lasts, seed, entered, background)
        sent = result.sent + result.sent_in_warmup
        self._sent += sent
        self._rates[place] = sent / lasts_s
        return result

    def _require_room(self, coming: float) -> None:
        most, sent = self._introduction.most, self._sent + self._introduction.asked
        if most is not None and sent + coming > most:
            raise EnoughAsked(
                f"{were(sent, 'request')} sent, and no more than {most:,} may be; "
                "allow more with --requests, or ask for fewer rounds"
            )

    def _settled(self, service: str) -> bool:
        """Whether it answers in time: what the trial before left in its queue is worked off."""
        target = self._own.own[service].target
        if target.method not in _SAFE:
            return True
        self._sent += 1
        try:
            ask(target, SETTLED_WITHIN_S)
        except NoAnswer:
            return False
        return True

    def _sampler(self, service: str) -> ServiceSide:
        return TreeSampler(self._own.pid(service))

    def _over_sockets(self, level: Level) -> bool:  # noqa: ARG002
        return False

    def _phase_s(self, level: Level, seed: int) -> float:  # noqa: ARG002
        """Nothing tells how long requests wait, so it is drawn from the longest phase."""
        return random.Random(seed).random() * LONGEST_PHASE_S
