"""Daemons, and whatever else a started command leaves behind: the lab ends that too.

On Linux the lab becomes the parent of its descendants that lose their own. Elsewhere nothing is
adopted.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from loadtest.system.guardian import GRACE_S, POLL_S, send

_SET_CHILD_SUBREAPER, _GET_CHILD_SUBREAPER = 36, 37  # PR_… in linux/prctl.h
COLLECTED_EVERY_S = 1.0
KILLED_WITHIN_S = 5.0
# Sessions that the lab began, by the id of their first process, and whose each is. That process is
# awaited by whoever started it.
_begun: dict[int, object] = {}
_beginning = threading.Lock()


def begun(owner: object, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """What `start` starts in a session of its own, which is known as that of `owner` from then on.

    No one takes it for an orphan meanwhile.
    """
    with _beginning:
        popen = start()
        _begun[popen.pid] = owner
    return popen


def adopt(*, wanted: bool = True) -> bool:
    """Become the parent of every descendant that loses its own, or no longer be; what was before.

    Those that were adopted stay children. No effect elsewhere than on Linux.
    """
    if sys.platform != "linux":
        return False
    before, prctl = ctypes.c_int(), ctypes.CDLL(None).prctl
    prctl(_GET_CHILD_SUBREAPER, ctypes.byref(before))
    prctl(_SET_CHILD_SUBREAPER, ctypes.c_ulong(wanted))
    return bool(before.value)


class Orphans:
    """Adopts, inside the `with` block, what commands of `owner` leave behind, and ends it then.

    A session that the lab did not begin is taken for one of theirs. Whoever has ended is collected.
    """

    def __init__(self, owner: object) -> None:
        self._owner = owner
        self._before: frozenset[int] = frozenset()
        self._adopted = False
        self._over = threading.Event()
        self._collector = threading.Thread(target=self._run, name="orphans", daemon=True)

    def __enter__(self) -> Orphans:
        self._before = frozenset(_children())
        self._adopted = adopt()
        self._collector.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._collector.join()
        try:
            self.stop()
        finally:
            adopt(wanted=self._adopted)

    def pids(self) -> list[int]:
        """Those there are; some of them may have ended."""
        with _beginning:
            return [pid for pid in _children() if self._is_one(pid)]

    def stop(self) -> None:
        """Ask them to end, and kill those that do not; returns once they are gone."""
        asked: set[int] = set()
        deadline = time.monotonic() + GRACE_S
        while (found := self.pids()) and time.monotonic() < deadline + KILLED_WITHIN_S:
            late = time.monotonic() > deadline
            for pid in found if late else set(found) - asked:
                send(os.kill, pid, signal.SIGKILL if late else signal.SIGTERM)
                send(os.kill, pid, signal.SIGCONT)
            asked.update(found)
            time.sleep(POLL_S)
            _collect(found)  # what they leave behind is a child by now, and found next

    def _is_one(self, pid: int) -> bool:
        if pid in self._before or pid in _begun:
            return False
        with contextlib.suppress(OSError):
            session = os.getsid(pid)
            return session != os.getsid(0) and _begun.get(session, self._owner) is self._owner
        return False

    def _run(self) -> None:
        while not self._over.wait(COLLECTED_EVERY_S):
            _collect(self.pids())


def _collect(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _children() -> Iterator[int]:
    """Those of this process; nothing where the system has no such list."""
    for each in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            yield from map(int, each.read_text().split())
