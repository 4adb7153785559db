"""A thread that sleeps and notes how much too late it woke up (after Gil Tene's jHiccup).

What held it back may have held back every thread on its cores.
"""

from __future__ import annotations

import os
import threading
import time

NAP_S = 0.005


class Sleeper:
    """Sleeps on `cpus` from `start` to `stop`; `overslept_s` is the worst so far."""

    def __init__(self, cpus: frozenset[int] | None = None) -> None:
        self.overslept_s = 0.0
        self._cpus = cpus
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sleeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when the last nap is over."""
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        if self._cpus and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, self._cpus)  # of this thread alone
        before = time.monotonic()
        while not self._done.wait(NAP_S):
            now = time.monotonic()
            self.overslept_s = max(self.overslept_s, now - before - NAP_S)
            before = now
