"""What to vary, what to hold, and which claim is on trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loadtest.model.criterion import Criterion
from loadtest.model.load import Load
from loadtest.model.published import Published
from loadtest.model.start import Start
from loadtest.model.target import Target

# Settings of a service that say on what it runs, without Docker; Python reads the second itself.
CORES, GIL = "SERVICE_CORES", "PYTHON_GIL"


@dataclass(frozen=True)
class Level:
    """One setting of what the experiment varies."""

    label: str
    x: float  # its place on the chart's axis
    load: Load
    scenario: str
    parameters: Mapping[str, int]
    environment: Mapping[str, str]  # overrides the service's own; the service is restarted with it
    share_of_peak: float | None = None  # asks for an open load, see `at_peak`
    quick: bool = True  # whether the quick plan has it
    without: tuple[str, ...] = ()  # services that cannot take it
    asked: Mapping[str, Target] = field(default_factory=dict)  # of each target; none of the lab's
    environment_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by service
    cores: int = 1  # of the machine, for the service
    gil: bool | None = (
        None  # under a free-threaded Python: with the GIL or without; None: the lab's
    )

    def settings_of(self, service: str) -> dict[str, str]:
        """What overrides the environment of one service."""
        cores = {CORES: str(self.cores)} if self.cores > 1 else {}
        gil = {} if self.gil is None else {GIL: str(int(self.gil))}
        return {**self.environment, **self.environment_of.get(service, {}), **cores, **gil}

    def at_peak(self, peak_rps: float) -> Load:
        """The load of this level where the slowest service peaks at `peak_rps`."""
        if self.share_of_peak is None:
            return self.load
        return replace(self.load, rate_rps=round(peak_rps * self.share_of_peak, 1))


@dataclass(frozen=True)
class Background:
    """A second load that runs beside the measured one."""

    scenario: str
    parameters: Mapping[str, int]
    load: Load


@dataclass(frozen=True)
class Experiment:
    """A claim, and the trials that it gets. Times in seconds.

    One with `targets` tests no claim: then `claim` and its sentences are empty.
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
    further: Mapping[str, str] = field(default_factory=dict)  # claims decided by the same trials
    criteria: tuple[Criterion, ...] = ()
    headline: bool = False
    plan: str = "full"  # the whole plan that has it: full, or field
    lesson: int = 0  # its place in the lesson; 0: none
    full_services: tuple[str, ...] = ()  # left out of the short plans
    fresh: bool = False  # every trial has a restarted service
    errors_allowed: bool = False  # failed requests are a result and fail no gate
    check: str = ""  # the name of a check without load; then there are no levels
    passes: tuple[str, ...] = ()  # services that pass it if the claim holds; the reference, if none
    peak: Load | None = None  # finds each service's peak for `share_of_peak`
    background: Background | None = None
    caution: str = ""  # what its figures do not say
    # Figures that are commonly taught, by service, to stand beside the measured ones.
    claimed: Mapping[str, float] = field(default_factory=dict)
    published: Published | None = None  # somebody else's comparison that it takes again
    tells: tuple[str, ...] = ()  # measures that stand beside its own in a table
    looks: tuple[int, ...] = ()  # after so many rounds; none where their number is fixed
    # How long a trial may last whose requests wait longer than its window; set by the plan.
    longest_s: float = 0.0
    # Services of the user's own, in place of the lab's: what is asked of each, and how those are
    # started that don't run already.
    targets: Mapping[str, Target] = field(default_factory=dict)
    starts: Mapping[str, Start] = field(default_factory=dict)
    requests_at_most: int | None = None  # in all, before it ends early
    may_load: bool = False  # targets may be outside of private networks
    same_body: bool = False  # every answer of every target has to have the same body
    # The TOML that it was read from.
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def restarts(self) -> bool:
        """Whether services are started anew between its trials, as a rule."""
        return self.fresh or any(
            level.settings_of(service) != self.levels[0].settings_of(service)
            for level in self.levels
            for service in self.services
        )

    @property
    def of_claims(self) -> tuple[Criterion, ...]:
        """The criteria that decide a claim, and no condition of the user's."""
        return tuple(each for each in self.criteria if each.claim)

    @property
    def conditions(self) -> tuple[Criterion, ...]:
        """What has to be so, or the command fails."""
        return tuple(each for each in self.criteria if not each.claim)

    def level(self, label: str) -> Level | None:
        """The level called `label`, if there is one."""
        return next((level for level in self.levels if level.label == label), None)


@dataclass(frozen=True)
class Looked:
    """A look at the figures after `rounds` rounds.

    `spent`: how much of the 5 % all looks up to this one may err in. `open`: levels at which
    something stays open, each with the services that it is open between; they alone go on.
    """

    rounds: int
    spent: float
    open: Mapping[str, tuple[str, ...]]

    def told(self, services: Sequence[str]) -> str:
        """What stays open, as text: `8 connections, 64 connections (flask-sync)`.

        A level that all `services` of the experiment go on with stands alone.
        """
        return ", ".join(
            level if len(each) == len(services) else f"{level} ({', '.join(each)})"
            for level, each in self.open.items()
        )


@dataclass(frozen=True)
class Planned:
    """What of an experiment was planned: services, labels of levels, rounds at most, looks."""

    services: tuple[str, ...]
    levels: tuple[str, ...]
    rounds: int
    looks: tuple[int, ...] = ()
