"""What to vary, what to hold, and which claim is on trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.model.criterion import Criterion
from loadtest.model.load import Load


@dataclass(frozen=True)
class Level:
    """One setting of what the experiment varies.

    `x` is its place on the chart's axis. `environment` overrides the service's own (the service is
    restarted with it). `share_of_peak` asks for an open load at that share of the slowest service's
    peak: `at_peak` makes the load once the peak is known. `quick`: whether the quick plan has it.
    `without`: services that cannot take it.
    """

    label: str
    x: float
    load: Load
    scenario: str
    parameters: Mapping[str, int]
    environment: Mapping[str, str]
    share_of_peak: float | None = None
    quick: bool = True
    without: tuple[str, ...] = ()

    def at_peak(self, peak_rps: float) -> Load:
        """The load of this level where the slowest service peaks at `peak_rps`."""
        if self.share_of_peak is None:
            return self.load
        return Load(self.load.kind, self.load.connections, round(peak_rps * self.share_of_peak, 1))


@dataclass(frozen=True)
class Background:
    """A second load that runs beside the measured one."""

    scenario: str
    parameters: Mapping[str, int]
    load: Load


@dataclass(frozen=True)
class Experiment:
    """A claim, and the trial it gets. Times in seconds; `document` is the TOML it was read from.

    `peak` is the closed load that finds each service's peak for the levels with `share_of_peak`.
    `fresh` starts the service anew before each trial. `errors_allowed`: failed requests are a
    result here and fail no gate. `further`: other claims that the same trials decide. `check` names
    a check that takes no load (then there are no levels). `caution`: what its figures do not say.
    `claimed` holds figures that are commonly taught, by service, to stand beside the measured
    ones. `full_services` are left out of the short plans. `lesson`: its place in the lesson, 0
    where it has none. `looks`: after how many rounds the data are looked at; none where the number
    of rounds is fixed. `longest_s`: how long a trial may last whose requests wait longer than its
    window; set by the plan.
    """

    name: str
    claim: str
    title: str
    statement: str
    confirms: str
    refutes: str
    services: tuple[str, ...]
    reference: str
    measure: str
    axis: str
    levels: tuple[Level, ...]
    rounds: int
    warmup_s: float
    duration_s: float
    further: Mapping[str, str] = field(default_factory=dict)
    criteria: tuple[Criterion, ...] = ()
    headline: bool = False
    lesson: int = 0
    full_services: tuple[str, ...] = ()
    fresh: bool = False
    errors_allowed: bool = False
    check: str = ""
    peak: Load | None = None
    background: Background | None = None
    caution: str = ""
    claimed: Mapping[str, float] = field(default_factory=dict)
    looks: tuple[int, ...] = ()
    longest_s: float = 0.0
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def restarts(self) -> bool:
        """Whether services are started anew between its trials, as a rule."""
        return self.fresh or any(
            level.environment != self.levels[0].environment for level in self.levels
        )

    def level(self, label: str) -> Level | None:
        """The level called `label`, if there is one."""
        return next((level for level in self.levels if level.label == label), None)


@dataclass(frozen=True)
class Looked:
    """A look at the figures after `rounds` rounds: which levels stay `open`.

    `spent`: how much of the 5 % all looks up to this one may err in.
    """

    rounds: int
    spent: float
    open: tuple[str, ...]


@dataclass(frozen=True)
class Planned:
    """What of an experiment was planned: services, labels of levels, rounds at most, looks."""

    services: tuple[str, ...]
    levels: tuple[str, ...]
    rounds: int
    looks: tuple[int, ...] = ()
