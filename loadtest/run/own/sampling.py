"""CPU, memory and threads of a service that the lab has started, from the operating system."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from loadtest.model.trial import Sample
from loadtest.run.presence import Look
from loadtest.run.sampler import INTERVAL_S
from loadtest.run.witnesses import procfs


@dataclass(frozen=True)
class _Seen:
    """One look at a process tree, by the wall clock."""

    at: float
    cpu_s: float
    pss_bytes: int
    threads: int


class TreeSampler:
    """Looks at the processes below `root` in a thread, while the context is open.

    Without a root, as for a service that somebody else runs, it sees nothing. Nor does it count
    requests: nobody exports them.
    """

    def __init__(self, root: int | None, interval_s: float = INTERVAL_S) -> None:
        self._root = root
        self._interval_s = interval_s
        self._seen: list[_Seen] = []
        self._wanted = threading.Event()
        self._done = False
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def __enter__(self) -> TreeSampler:
        if self._root is not None:
            self._look(self._root)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done = True
        self._wanted.set()
        if self._root is not None:
            self._thread.join()

    def look(self, _: str = "") -> None:
        """Look now, not when it is due."""
        self._wanted.set()

    def samples(self, started_at: str) -> tuple[Sample, ...]:
        """What was seen, timed from `started_at` (ISO 8601), the first look left out."""
        start = datetime.fromisoformat(started_at).timestamp()
        return tuple(_sample(before, after, start) for before, after in pairwise(self._seen))

    def looks(self, _: str) -> Sequence[Look]:
        """None: a look at processes tells nothing of answers."""
        return ()

    def counted(self) -> int | None:
        """None, as above."""
        return None

    def by_worker(self) -> tuple[int, ...]:
        """None, as above."""
        return ()

    def _run(self) -> None:
        assert self._root is not None
        while not self._done:
            self._wanted.wait(self._interval_s)
            self._wanted.clear()
            self._look(self._root)

    def _look(self, root: int) -> None:
        tree = procfs.tree(root)
        if tree:
            cpu_s = sum(stat.cpu_s for stat in tree.values())
            memory, threads = map(sum, zip(*map(_room, tree), strict=True))
            self._seen.append(_Seen(time.time(), cpu_s, memory, threads))


def _room(pid: int) -> tuple[int, int]:
    """Memory (PSS, in bytes) and threads of one process; nothing where it is gone by now."""
    memory = threads = 0
    with contextlib.suppress(OSError, ValueError):
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                memory = int(line.split()[1]) * 1024
    return memory, threads


def _sample(before: _Seen, after: _Seen, start: float) -> Sample:
    spent_s = max(0.0, after.cpu_s - before.cpu_s)
    return Sample(
        t=round(after.at - start, 3),
        cpu=round(spent_s / max(after.at - before.at, 1e-6), 4),
        pss_bytes=after.pss_bytes,
        threads=after.threads,
    )
