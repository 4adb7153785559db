"""What a probe knows so far, and who hears of it meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from loadtest.model.target import Target
from loadtest.probe import growth, processes
from loadtest.probe.limits import Allowance, ProbeError
from loadtest.probe.processes import Probed, Serving
from loadtest.probe.record import Beside, Disturbance, Glance, Server, Sighting, Step, Wave
from loadtest.system.sockets import Address

RATE_LIMIT = "; it limits how often it may be asked, so switch that off for the probe"


@dataclass
class Told:
    """Who hears what happens meanwhile."""

    line: Callable[[str], None] = lambda _: None
    step: Callable[[Step], None] = lambda _: None


@dataclass
class Found:
    """What is known so far; a probe that is interrupted ends with it."""

    target: Target
    allowance: Allowance
    address: Address
    glance: Glance | None = None
    serving: Serving | None = None
    server: Server | None = None
    steps: list[Step] = field(default_factory=list)
    waves: list[Wave] = field(default_factory=list)
    beside: Beside | None = None
    light: int = 0  # requests to the endpoint beside it
    ended: str = ""
    changed: str = ""
    unmeasured: list[str] = field(default_factory=list)
    disturbances: list[Disturbance] = field(default_factory=list)

    @property
    def probed(self) -> Probed:
        """What is probed, as its parts need it."""
        return Probed(self.target, self.address, self.serving)

    def seen(self) -> Sighting:
        """As a record; ProbeError where not a single answer was measured."""
        if self.glance is None or not growth.sound(self.steps[:1]):
            raise ProbeError(self._nothing())
        return Sighting(
            url=self.target.url,
            method=self.target.method,
            glance=replace(self.glance, kept=self.glance.kept and not growth.closes(self.steps)),
            steps=tuple(sorted(self.steps, key=lambda each: each.connections)),
            waves=tuple(self.waves),
            server=self.server,
            beside=self.beside,
            limit=self.allowance.connections,
            cores=len(processes.watched_cores(self.serving)),
            sent=self.allowance.sent,
            light=self.light,
            lasted_s=self.allowance.spent_s,
            ended=self.ended,
            changed=self.changed,
            unmeasured=tuple(self.unmeasured),
            disturbances=tuple(self.disturbances),
            processes_ended=self.serving.ended if self.serving else 0,
        )

    def _nothing(self) -> str:
        if self.steps and self.steps[0].errors:
            name, count = max(self.steps[0].errors.items(), key=lambda each: each[1])
            told = f"{self.target.url}: one request at a time fails already: {name} × {count}"
            return told + RATE_LIMIT * (name == "status 429")
        return f"{self.target.url}: {self.ended or 'no answer was measured'}"
