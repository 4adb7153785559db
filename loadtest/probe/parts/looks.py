"""What the operating system tells of a step: counters at both ends, looks at the server between."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import NamedTuple

from loadtest.probe import processes
from loadtest.probe.moments import Asker, Asking
from loadtest.probe.processes import Serving
from loadtest.run.witnesses import procfs

STATES_A_LOOK = 4


@dataclass(frozen=True)
class Counters:
    """Of the server, the load and the machine, at one moment; they only grow.

    `cpu_s`: of each process of the server, nothing where that is not known. `idle_s`, `stolen_s`:
    of so many `cores`, 0 where they are out of sight.
    """

    at: float
    cpu_s: tuple[float, ...]
    own_s: float
    cores: int
    idle_s: float
    stolen_s: float
    reconnects: int

    def used(self, before: Counters) -> tuple[float, ...]:
        """Cores that each process used since then; nothing where not all of them are there still.

        One that ended took its time with it, and what came in its place has some from before.
        """
        if len(before.cpu_s) != len(self.cpu_s):
            return ()
        lasted_s = max(self.at - before.at, 1e-6)
        pairs = zip(before.cpu_s, self.cpu_s, strict=True)
        return tuple(max(0.0, b - a) / lasted_s for a, b in pairs)


class AtServer(NamedTuple):
    """At a server: requests in hand, those that it has not read, its threads, ready processes."""

    in_hand: int
    unread: int
    threads: int
    ready: float


class Looks:
    """Looks at the server, where it is in sight, and at the machine."""

    def __init__(self, asker: Asker, stream: Asking, serving: Serving | None) -> None:
        self._asker, self._stream, self._serving = asker, stream, serving
        self._cores = processes.watched_cores(serving)

    def look(self, every_s: float, *, few: bool) -> list[AtServer]:
        """Go on for so long; then requests in hand, those not read, threads, and ready processes.

        What computes changes faster than a queue, so it is looked at more often.
        """
        serving = self._serving
        if serving is None or not few:
            self._asker.run(lambda: False, every_s)
            return []
        ready = []
        for _ in range(STATES_A_LOOK):
            self._asker.run(lambda: False, every_s / STATES_A_LOOK)
            ready.append(serving.ready())
        waiting = processes.unread(serving.address)
        if waiting is None:
            return []
        threads, mean = serving.threads(), statistics.fmean(ready)
        return [AtServer(self._stream.in_flight, waiting, threads, mean)]

    def counters(self) -> Counters:
        there = procfs.cores()
        # In some containers /proc/stat numbers its cores otherwise: then it tells nothing of them.
        cores = [there[each] for each in self._cores] if there.keys() >= self._cores else []
        return Counters(
            at=self._asker.engine.now(),
            cpu_s=self._serving.cpu_s() if self._serving else (),
            own_s=time.process_time(),
            cores=len(cores),
            idle_s=sum(each.idle_s for each in cores),
            stolen_s=sum(each.stolen_s for each in cores),
            reconnects=self._stream.reconnects,
        )
