"""What `make falsify` does to trials: one disturbance a trial, from outside of what is measured."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from loadtest.backends.native import Lab
from loadtest.run.witnesses import procfs

STOP_S = 0.7
SLEEP_S = 10.0
_CGROUP1 = Path("/sys/fs/cgroup/cpu")
_CGROUP2 = Path("/sys/fs/cgroup")


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
    def core(self) -> int:
        """A core of the services."""
        return min(self.lab.cpus.service or os.sched_getaffinity(0))

    @property
    def load_core(self) -> int:
        """A core of the load."""
        return min(self.lab.cpus.load or os.sched_getaffinity(0))


@dataclass(frozen=True)
class Disturbance:
    """`act` does it while the window is measured. `fault` is done by a proxy all the time."""

    name: str
    act: Callable[[Scene], object] | None = None
    fault: str = ""
    one_in: int = 1000
    services: tuple[str, ...] = ()  # only with these
    possible: Callable[[], bool] = lambda: True


def stop(pids: Iterable[int], seconds: float) -> None:
    """Stop processes for so long."""
    stopped = list(pids)
    _signal(stopped, signal.SIGSTOP)
    time.sleep(seconds)
    _signal(stopped, signal.SIGCONT)


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


_SPIN = """
import os, sys, time
core, nice = int(sys.argv[1]), int(sys.argv[2])
duty, seconds = float(sys.argv[3]), float(sys.argv[4])
if core >= 0: os.sched_setaffinity(0, {core})
else: os.sched_setaffinity(0, range(os.cpu_count()))
if nice < 0: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
elif nice: os.nice(nice)
end = time.monotonic() + seconds
while (now := time.monotonic()) < end:
    while time.monotonic() < now + 0.01 * duty: pass
    if duty < 1: time.sleep(0.01 * (1 - duty))
"""


@contextlib.contextmanager
def elsewhere(code: str, *arguments: object) -> Iterator[None]:
    """A program that does not descend from the lab, for as long as the block lasts."""
    away = "import os,sys\nif os.fork(): os._exit(0)\nos.setsid()\nprint(os.getpid(),flush=True)\n"
    with subprocess.Popen(
        [sys.executable, "-c", away + code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout is not None
        pid = int(started.stdout.readline())
        try:
            yield
        finally:
            _signal([pid], signal.SIGKILL)


def spin(scene: Scene, core: int = -1, *, count: int = 1, nice: int = 0, duty: float = 1.0) -> None:
    """`count` programs compute all through the window; `nice` below 0: at real-time priority."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(elsewhere(_SPIN, core, nice, duty, scene.window_s + 1))
        time.sleep(scene.window_s)


def stop_loads(scene: Scene, seconds: float = STOP_S, times: int = 1) -> None:
    """Stop the generator's processes."""
    for _ in range(times):
        stop(set(procfs.tree(scene.loads)) - {scene.loads}, seconds)
        time.sleep(0.08)


def stop_service(scene: Scene, seconds: float = STOP_S, times: int = 1) -> None:
    """Stop all of the service's processes."""
    for _ in range(times):
        stop(procfs.tree(scene.lab.pid(scene.service)), seconds)
        time.sleep(0.08)


def stop_postgres(scene: Scene) -> None:
    """Stop all of Postgres."""
    stop(procfs.tree(scene.lab.database.process.pid), STOP_S)


def stop_worker(scene: Scene) -> None:
    """Stop the busiest worker."""
    stop(_busiest(scene), scene.window_s - 0.2)


def kill_worker(scene: Scene) -> None:
    """Kill the busiest worker, as the kernel does where memory runs out."""
    _signal(_busiest(scene), signal.SIGKILL)


def _busiest(scene: Scene) -> list[int]:
    stats = [stat for pid in scene.workers() if (stat := procfs.read(pid))]
    return [max(stats, key=lambda stat: stat.cpu_s).pid]


def stop_everything(scene: Scene) -> None:
    """Stop the lab, its services and its loads, as a laptop's sleep does; wake them up again."""
    code = (
        "import os,signal,sys,time\n"
        "pids=[int(each) for each in sys.argv[2:]]\n"
        "for pid in pids: os.kill(pid, signal.SIGSTOP)\n"
        "time.sleep(float(sys.argv[1]))\n"
        "for pid in reversed(pids): os.kill(pid, signal.SIGCONT)\n"
    )
    with elsewhere(code, SLEEP_S, *procfs.tree(os.getpid())):
        time.sleep(scene.window_s + SLEEP_S)


def set_clock(hours: float) -> Callable[[Scene], None]:
    """Set the wall clock, as the lab sees it, for a while."""

    def act(scene: Scene) -> None:
        real = time.time
        time.time = lambda: real() + hours * 3600
        try:
            time.sleep(scene.window_s)
        finally:
            time.time = real

    return act


def ask(pause_s: float) -> Callable[[Scene], None]:
    """Somebody else's load on the same service: four connections that pause after each answer."""

    def act(scene: Scene) -> None:
        code = (
            "import http.client, sys, threading, time\n"
            "def ask():\n"
            "    connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))\n"
            "    while True:\n"
            "        connection.request('GET', '/json'); connection.getresponse().read()\n"
            "        time.sleep(float(sys.argv[2]))\n"
            "for _ in range(4): threading.Thread(target=ask).start()\n"
        )
        with elsewhere(code, scene.lab.services[scene.service].port, pause_s):
            time.sleep(scene.window_s)

    return act


def query(scene: Scene) -> None:
    """A heavy query of another client of Postgres."""
    seconds = int(scene.window_s * 1000)
    with psycopg.connect(scene.lab.database_url, autocommit=True, application_name="psql") as other:
        other.execute(f"SET statement_timeout = {seconds}")
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            other.execute("SELECT count(*) FROM generate_series(1, 1000000000)")


def quota(scene: Scene) -> None:
    """A quota of half a core around the whole lab."""
    group, limits, home = _group()
    group.mkdir(exist_ok=True)
    try:
        for name, value in limits.items():
            (group / name).write_text(value)
        _move(group, procfs.tree(os.getpid()))
        time.sleep(scene.window_s)
    finally:
        _move(home, procfs.tree(os.getpid()))
        with contextlib.suppress(OSError):
            group.rmdir()


def _group() -> tuple[Path, dict[str, str], Path]:
    if (_CGROUP1 / "cpu.cfs_quota_us").exists() or (_CGROUP1 / "cgroup.procs").exists():
        limits = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}
        return _CGROUP1 / "lab-falsify", limits, _CGROUP1
    return _CGROUP2 / "lab-falsify", {"cpu.max": "50000 100000"}, _CGROUP2


def _move(group: Path, pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            (group / "cgroup.procs").write_text(str(pid))


def _root() -> bool:
    return os.geteuid() == 0


def _can_limit() -> bool:
    return _root() and os.access(_group()[2] / "cgroup.procs", os.W_OK)


ALL: tuple[Disturbance, ...] = (
    Disturbance("two programs compute, on any core", lambda scene: spin(scene, count=2)),
    Disturbance("a program computes on the service's core", lambda s: spin(s, s.core)),
    Disturbance("a program computes on the load's core", lambda s: spin(s, s.load_core)),
    Disturbance(
        "a program takes a third of the service's core", lambda s: spin(s, s.core, duty=0.5)
    ),
    Disturbance("a niced program on the service's core", lambda s: spin(s, s.core, nice=19)),
    Disturbance(
        "a real-time program on the service's core",
        lambda s: spin(s, s.core, nice=-1, duty=0.5),
        possible=_root,
    ),
    Disturbance("the generator stops for 0.7 s", stop_loads),
    Disturbance("the generator stops 6 times for 0.06 s", lambda s: stop_loads(s, 0.06, 6)),
    Disturbance("the service stops for 0.7 s", stop_service),
    Disturbance("the service stops 6 times for 0.06 s", lambda s: stop_service(s, 0.06, 6)),
    Disturbance("one of the workers stops", stop_worker, services=("flask-sync",)),
    Disturbance("a worker is killed, as where memory ends", kill_worker, services=("flask-sync",)),
    Disturbance("Postgres stops for 0.7 s", stop_postgres),
    Disturbance("a heavy query of another client", query),
    Disturbance("somebody else's load, four connections", ask(0.0)),
    Disturbance("somebody else's load, 40 requests a second", ask(0.1)),
    Disturbance("everything stops for 10 s", stop_everything),
    Disturbance("the wall clock is set an hour forward", set_clock(1)),
    Disturbance("the wall clock is set an hour back", set_clock(-1)),
    Disturbance("a quota of half a core around the lab", quota, possible=_can_limit),
    Disturbance("one wrong answer in 1,000", fault="wrong"),
    Disturbance("one answer in 1,000 comes twice", fault="twice"),
    Disturbance("one connection in 1,000 answers is reset", fault="reset"),
    Disturbance("one request in 500 gets no answer", fault="never", one_in=500),
)
