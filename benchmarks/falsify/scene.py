"""One trial that is disturbed, and what a disturbance is."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from loadtest.backends.native import Lab
from loadtest.run.witnesses import procfs

JSON, ITEM, ORDER = "JSON", "one item from Postgres", "an order"


@dataclass(frozen=True)
class Scene:
    """One trial that is disturbed: the lab, the root of its loads, the service under test."""

    lab: Lab
    loads: int
    service: str
    window_s: float

    def workers(self) -> list[int]:
        """The service's processes below its first one that use CPU: its workers."""
        found = procfs.tree(self.lab.pid(self.service))
        return sorted(pid for pid in found if pid != self.lab.pid(self.service))

    @property
    def port(self) -> int:
        """Where the service listens."""
        return self.lab.services[self.service].port

    @property
    def core(self) -> int:
        """A core of the services."""
        return min(self.lab.cpus.service or os.sched_getaffinity(0))

    @property
    def load_core(self) -> int:
        """A core of the load."""
        return min(self.lab.cpus.load or os.sched_getaffinity(0))


def here() -> str:
    """Nothing is missing."""
    return ""


@dataclass(frozen=True)
class Disturbance:
    """`act` does it while the window is measured, `around` from before the trial until after it.

    `fault` is done by a proxy all the time, to one answer in `one_in`.
    `services`: only with these. `window_s`: where it needs a longer one. `spoils`: Postgres may be
    gone after it, so the lab is made anew.
    `missing` says what it needs and this machine has not; empty where it can be done.
    """

    name: str
    act: Callable[[Scene], object] | None = None
    around: Callable[[Scene], AbstractContextManager[object]] | None = None
    fault: str = ""
    one_in: int = 1000
    services: tuple[str, ...] = ()
    level: str = JSON
    window_s: float | None = None
    spoils: bool = False
    missing: Callable[[], str] = here
