"""Watches machine, service and Postgres while one window is measured."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from loadtest.backends.base import BESIDE_SERVICES
from loadtest.model.witness import Machine, Pause
from loadtest.run.witnesses import machine, procfs
from loadtest.run.witnesses.machine import Reading
from loadtest.run.witnesses.service import Watcher
from loadtest.run.witnesses.sleeper import Sleeper
from loadtest.system.cpus import Cpus

CULPRITS = 3
_LEAST_S = 0.05  # of CPU, from which on a program is named


@dataclass(frozen=True)
class Seen:
    """What was seen; None where the window was not watched, or processes are out of sight."""

    machine: Machine | None = None
    pauses: tuple[Pause, ...] | None = None


class Observer:
    """`roots`: the process that each service, Postgres and a pooler descend from; empty if out of
    sight, and CPU of others is not told then. `watched`: those whose pauses count, by name.

    `enter` is told when the window begins ("measured") and ends ("done"). As a context it sees to
    it that nothing watches on where the window never comes to its end.
    """

    def __init__(
        self,
        roots: Mapping[str, int],
        watched: Mapping[str, Collection[int]],
        cpus: Cpus,
        window_s: float,
    ) -> None:
        self.seen = Seen()
        self._services = [pid for name, pid in roots.items() if name not in BESIDE_SERVICES]
        beside = [roots[name] for name in BESIDE_SERVICES if name in roots]
        self._lab = [os.getpid(), *_on(cpus.load, beside)]
        self._watcher = Watcher(watched, window_s) if watched else None
        self._cpus = cpus
        self._sleepers = [Sleeper(each) for each in dict.fromkeys((cpus.service, cpus.load))]
        self._before: Reading | None = None
        self._others = procfs.everything()

    def __enter__(self) -> Observer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            self._stop()

    def enter(self, phase: str) -> None:
        """The window begins or ends."""
        if phase == "measured":
            self._begin()
        elif phase == "done" and self._before is not None:
            self._end(self._before)

    def _begin(self) -> None:
        before = machine.read(self._lab, self._services)
        for sleeper in self._sleepers:
            sleeper.start()
        if self._watcher:
            self._watcher.start()
        self._before = before

    def _end(self, before: Reading) -> None:
        after = machine.read(self._lab, self._services)
        pauses = self._stop()
        overslept_s = max(each.overslept_s for each in self._sleepers)
        found = machine.between(before, after, self._cpus, overslept_s=overslept_s)
        if not machine.to_itself(found).passed:
            found = replace(found, culprits=self._culprits())
        self.seen = Seen(found, pauses)

    def _stop(self) -> tuple[Pause, ...] | None:
        """End the threads; what the watcher saw."""
        self._before = None
        for sleeper in self._sleepers:
            sleeper.stop()
        return self._watcher.stop() if self._watcher else None

    def _culprits(self) -> dict[str, float]:
        """The programs of others that used most CPU since the trial began."""
        seen = procfs.everything()
        own = procfs.below([*self._lab, *self._services], seen)
        spent: dict[str, float] = {}
        for pid, stat in seen.items():
            before = self._others.get(pid)
            if pid not in own and stat.parent and not stat.serves:
                grown = stat.cpu_s - (before.cpu_s if before else 0.0)
                spent[stat.name] = spent.get(stat.name, 0.0) + grown
        most = sorted(spent.items(), key=lambda each: -each[1])[:CULPRITS]
        return {name: round(seconds, 2) for name, seconds in most if seconds >= _LEAST_S}


def _on(cpus: frozenset[int] | None, pids: Iterable[int]) -> Iterator[int]:
    """Those of `pids` that run on `cpus`; where there are cores for all, Postgres has its own."""
    for pid in pids:
        with contextlib.suppress(OSError, AttributeError):
            if cpus is None or os.sched_getaffinity(pid) & cpus:
                yield pid
