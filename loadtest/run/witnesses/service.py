"""The service and Postgres: whether each of their processes could run all through the window.

A process that waits or computes for long belongs to the experiment; one that the kernel holds
stopped does not. So the state of the processes is asked, and not how long answers stay away.
Where a whole control group is frozen (`docker pause`), the group says so, or all of its processes
look like waiting for a disk at the same moment. A group that the lab is in is never frozen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence

from loadtest.model.counts import number_of
from loadtest.model.trial import Gate
from loadtest.model.witness import Pause
from loadtest.run.witnesses import procfs

PROCESSES_KEPT_RUNNING = "processes kept running"
PAUSED = 0.1  # of the window
LOOKS = 20  # in each window, so that a tenth of it has two
SHORTEST_LOOK_S = 0.02
STOPPED = frozenset("Tt")
ON_DISK = "D"  # for a disk, as a rule; also while a control group is frozen


class Watcher:
    """Looks at the state of every process below `roots`, `LOOKS` times a window.

    `roots`: ids by the name of the program.
    """

    def __init__(self, roots: Mapping[str, Collection[int]], window_s: float) -> None:
        self._names = {root: name for name, pids in roots.items() for root in pids}
        self._interval_s = max(SHORTEST_LOOK_S, window_s / LOOKS)
        self._done = threading.Event()
        self._trees: dict[int, list[int]] = {}
        self._watched: dict[int, str] = {}
        self._stopped_at: dict[int, float] = {}
        self._paused_s: dict[int, float] = {}
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        seen = procfs.everything()
        self._trees = {root: list(procfs.below([root], seen)) for root in self._names}
        self._watched = {
            pid: self._names[root] for root, pids in self._trees.items() for pid in pids
        }
        self._thread.start()

    def stop(self) -> tuple[Pause, ...]:
        """End; every process that was stopped, longest first."""
        self._done.set()
        self._thread.join()
        self._look()
        now = time.monotonic()
        for pid in list(self._stopped_at):
            self._goes_on(pid, now)
        paused = (Pause(self._watched[pid], pid, s) for pid, s in self._paused_s.items())
        return tuple(sorted(paused, key=lambda each: -each.lasted_s))

    def _run(self) -> None:
        while not self._done.wait(self._interval_s):
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        for root, pids in self._trees.items():
            states = {pid: stat.state for pid in pids if (stat := procfs.read(pid))}
            frozen = procfs.frozen(root)
            if frozen is None:
                frozen = set(states.values()) == {ON_DISK}
            for pid in pids:
                if frozen or states.get(pid, "") in STOPPED:
                    self._stopped_at.setdefault(pid, now)
                elif pid in self._stopped_at:
                    self._goes_on(pid, now)

    def _goes_on(self, pid: int, now: float) -> None:
        lasted_s = now - self._stopped_at.pop(pid)
        self._paused_s[pid] = self._paused_s.get(pid, 0.0) + lasted_s


def kept_running(pauses: Sequence[Pause] | None, window_s: float) -> Gate:
    """No process of the service or of Postgres was stopped for a tenth of the window, all in all.

    A look tells of a pause only once it has begun: it lasted up to one interval longer.
    """
    limit_s = PAUSED * window_s
    if pauses is None:
        return Gate(
            PROCESSES_KEPT_RUNNING, True, None, limit_s, "its processes can't be seen from here"
        )
    # From the first look at it to the one after it: within an interval of what it really was.
    longest_s = max((each.lasted_s for each in pauses), default=0.0)
    passed = longest_s < limit_s - window_s / LOOKS / 2
    detail = "no process was stopped"
    if pauses:
        detail = f"stopped: {', '.join(_told(pauses))}"
    return Gate(PROCESSES_KEPT_RUNNING, passed, longest_s, limit_s, detail, disturbance=True)


def _told(pauses: Sequence[Pause]) -> Collection[str]:
    names = dict.fromkeys(each.name for each in pauses)
    for name in names:
        of = [each for each in pauses if each.name == name]
        names[name] = f"{number_of(len(of), 'process')} of {name} for {of[0].lasted_s:.2f} s"
    return [told for told in names.values() if told]
