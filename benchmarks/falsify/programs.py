"""Other programs that want the CPU, the service or Postgres while a trial runs."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psycopg

from benchmarks.falsify.scene import Scene
from benchmarks.falsify.stops import kill

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
_ASK = """
import http.client, sys, threading, time
def ask():
    connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))
    while True:
        connection.request('GET', '/json'); connection.getresponse().read()
        time.sleep(float(sys.argv[2]))
for _ in range(4): threading.Thread(target=ask).start()
"""
_AWAY = "import os,sys\nif os.fork(): os._exit(0)\nos.setsid()\nprint(os.getpid(),flush=True)\n"


@contextlib.contextmanager
def elsewhere(code: str, *arguments: object) -> Iterator[None]:
    """A program that does not descend from the lab, for as long as the block lasts."""
    with subprocess.Popen(
        [sys.executable, "-c", _AWAY + code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout is not None
        pid = int(started.stdout.readline())
        try:
            yield
        finally:
            kill([pid])


def spin(scene: Scene, core: int = -1, *, count: int = 1, nice: int = 0, duty: float = 1.0) -> None:
    """`count` programs compute all through the window; `nice` below 0: at real-time priority."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(elsewhere(_SPIN, core, nice, duty, scene.window_s + 1))
        time.sleep(scene.window_s)


def ask(pause_s: float) -> Callable[[Scene], None]:
    """Somebody else's load on the same service: four connections that pause after each answer."""

    def act(scene: Scene) -> None:
        with elsewhere(_ASK, scene.port, pause_s):
            time.sleep(scene.window_s)

    return act


def query(scene: Scene) -> None:
    """A heavy query of another client of Postgres."""
    timeout_ms = int(scene.window_s * 1000)
    with psycopg.connect(scene.lab.database_url, autocommit=True, application_name="psql") as other:
        other.execute(f"SET statement_timeout = {timeout_ms}")
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            other.execute("SELECT count(*) FROM generate_series(1, 1000000000)")
