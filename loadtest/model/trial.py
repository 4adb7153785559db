"""The record of one trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.model.load import Load, LoadResult
from loadtest.model.witness import Machine, Pause

TWIN = "#2"  # behind the name of the reference, which runs twice in each round
TRIAL_VERSION = 2


@dataclass(frozen=True)
class Gate:
    """One validity check of a trial: `value` against `limit`, in the unit that `detail` names.

    `disturbance`: what it looks for comes from outside of what is measured. `accepted`: it would
    have failed, but the user lets a busy machine count.
    """

    name: str
    passed: bool
    value: float | None
    limit: float | None
    detail: str
    disturbance: bool = False
    accepted: bool = False


@dataclass(frozen=True)
class Prediction:
    """What `slots / L` allows: `rps` = `slots` / `latency_s`; `bound_by`: the limit that binds."""

    rps: float
    slots: int
    bound_by: str
    latency_s: float


@dataclass(frozen=True)
class Sample:
    """The service's side once a second, its whole process tree.

    `t`: seconds since the measured window began; negative in the warm-up.
    """

    t: float
    cpu: float  # CPU seconds per second since the sample before
    pss_bytes: int
    threads: int
    in_flight: float | None = None
    scheduling_lag_s: float | None = None
    pool_used: float | None = None
    pool_pending: float | None = None
    database_connections: int | None = None
    foreign_sessions: int | None = None  # of other clients on Postgres that did something


@dataclass(frozen=True)
class Trial:
    """One service under one load in one round.

    `arm` is `service`, or `service#2` for its A/A twin.
    """

    run_id: str
    experiment: str
    index: int  # place in the schedule, from 0
    attempt: int  # 1, then one more for each rerun after a failed gate
    round: int  # from 1
    order: int  # place within the round, from 1
    arm: str
    service: str
    level: str  # label of the experiment's level
    scenario: str
    parameters: Mapping[str, int]
    load: Load
    result: LoadResult
    samples: tuple[Sample, ...] = ()
    gates: tuple[Gate, ...] = ()
    prediction: Prediction | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    machine: Machine | None = None
    pauses: tuple[Pause, ...] | None = None  # None where the service's processes can't be seen
    counted: int | None = None  # requests that the service answered during the whole load
    by_worker: tuple[int, ...] = ()  # of those, each worker process's; empty where nobody knows
    version: int = TRIAL_VERSION

    @property
    def valid(self) -> bool:
        """Whether every gate passed."""
        return all(gate.passed for gate in self.gates)

    @property
    def disturbed_by(self) -> tuple[str, ...]:
        """Names of the failed gates that look for something from outside."""
        return tuple(gate.name for gate in self.gates if gate.disturbance and not gate.passed)

    @property
    def accepted(self) -> bool:
        """Whether it counts although it was disturbed, because the user accepts a busy machine."""
        return any(gate.accepted for gate in self.gates)
