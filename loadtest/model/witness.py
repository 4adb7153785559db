"""What was seen beside one measured window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CoreTime:
    """Seconds of some cores in the window, summed over them.

    `others_s`: spent by programs that are not the lab's; None where the lab's own can't be told
    apart from them.
    """

    cores: int
    idle_s: float
    stolen_s: float
    others_s: float | None = None


@dataclass(frozen=True)
class Machine:
    """The machine in one window. Times in seconds; None where the kernel does not tell.

    `lasted_s`: what was watched, on a clock that a sleeping machine stops too. `service` and `load`
    are the cores of the services and of the load, the same where they share them.
    `throttled_s`: the lab was held back by a quota around it. `swapped_in`: pages. `memory_s` and
    `cpu_s`: something waited for memory, for a core (pressure). `overslept_s`: how much too late a
    sleeping thread woke up, at worst. `clock_s`: how far the wall clock was set. `asleep_s`: the
    whole machine slept. `culprits`: CPU seconds of the busiest other programs, by name, where the
    machine was not the lab's own. `resent`: packets of TCP that were lost and sent again,
    those that open a connection left out.
    """

    lasted_s: float
    service: CoreTime | None = None
    load: CoreTime | None = None
    throttled_s: float | None = None
    swapped_in: int | None = None
    memory_s: float | None = None
    cpu_s: float | None = None
    overslept_s: float = 0.0
    clock_s: float = 0.0
    asleep_s: float = 0.0
    culprits: Mapping[str, float] = field(default_factory=dict)
    resent: int | None = None


@dataclass(frozen=True)
class Pause:
    """A process that was stopped in the window: its name and id, and for how long all in all."""

    name: str
    pid: int
    lasted_s: float
