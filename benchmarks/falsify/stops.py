"""Processes that stop for a while or for good, and a wall clock that is set."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator

from benchmarks.falsify.scene import Scene
from loadtest.run.witnesses import procfs

STOP_S = 0.7
SLEEP_S = 10.0
_GAP_S = 0.08
_SLEEP = (
    "import os,signal,sys,time\n"
    "os.setsid()\n"
    "pids=[int(each) for each in sys.argv[2:]]\n"
    "for pid in pids: os.kill(pid, signal.SIGSTOP)\n"
    "time.sleep(float(sys.argv[1]))\n"
    "for pid in reversed(pids): os.kill(pid, signal.SIGCONT)\n"
)


def stop(pids: Iterable[int], seconds: float) -> None:
    """Stop processes for so long."""
    stopped = list(pids)
    _signal(stopped, signal.SIGSTOP)
    time.sleep(seconds)
    _signal(stopped, signal.SIGCONT)


def kill(pids: Iterable[int]) -> None:
    """End processes at once."""
    _signal(pids, signal.SIGKILL)


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def stop_loads(scene: Scene, seconds: float = STOP_S, times: int = 1) -> None:
    """Stop the generator's processes."""
    for _ in range(times):
        stop(set(procfs.tree(scene.loads)) - {scene.loads}, seconds)
        time.sleep(_GAP_S)


def stop_service(scene: Scene, seconds: float = STOP_S, times: int = 1) -> None:
    """Stop all of the service's processes."""
    for _ in range(times):
        stop(procfs.tree(scene.lab.pid(scene.service)), seconds)
        time.sleep(_GAP_S)


def stop_postgres(scene: Scene) -> None:
    """Stop all of Postgres."""
    stop(procfs.tree(scene.lab.database.process.pid), STOP_S)


def stop_worker(scene: Scene) -> None:
    """Stop the busiest worker."""
    stop(_busiest(scene), scene.window_s - 0.2)


def kill_worker(scene: Scene) -> None:
    """Kill the busiest worker, as the kernel does where the machine's memory ends."""
    kill(_busiest(scene))


def _busiest(scene: Scene) -> list[int]:
    stats = [stat for pid in scene.workers() if (stat := procfs.read(pid))]
    return [max(stats, key=lambda stat: stat.cpu_s).pid]


def stop_everything(scene: Scene) -> None:
    """Stop the lab, its services and its loads, as a laptop's sleep does; wake them up again."""
    pids = map(str, procfs.tree(os.getpid()))
    with subprocess.Popen([sys.executable, "-c", _SLEEP, str(SLEEP_S), *pids]):
        time.sleep(scene.window_s)


def set_clock(hours: float) -> Callable[[Scene], None]:
    """Set the wall clock, as the lab sees it; it stays so until something puts it right."""

    def act(_: Scene) -> None:
        real = time.time
        time.time = lambda: real() + hours * 3600

    return act


def set_clock_and_back(scene: Scene) -> None:
    """Set the wall clock, as the lab sees it, for half of the window."""
    with clock_put_right(scene):
        set_clock(1)(scene)
        time.sleep(scene.window_s / 2)


@contextlib.contextmanager
def clock_put_right(_: Scene) -> Iterator[None]:
    """The lab sees the real wall clock afterwards."""
    real = time.time
    try:
        yield
    finally:
        time.time = real
