from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.model.witness import Pause
from loadtest.run.witnesses import procfs, service
from loadtest.run.witnesses.service import Watcher


@pytest.mark.parametrize(
    ("pauses", "passed"),
    [
        (None, True),
        ((), True),
        ((Pause("Postgres", 7, 0.05),), True),
        ((Pause("Postgres", 7, 0.2),), False),
        ((Pause("flask-sync", 8, 0.7), Pause("flask-sync", 9, 0.7)), False),
    ],
)
def test_a_tenth_of_the_window_is_the_limit(pauses: tuple[Pause, ...] | None, passed: bool) -> None:
    assert service.kept_running(pauses, 2.0).passed is passed


def test_each_program_is_told_once() -> None:
    pauses = (Pause("flask-sync", 8, 0.71), Pause("flask-sync", 9, 0.7), Pause("Postgres", 7, 0.4))
    detail = service.kept_running(pauses, 2.0).detail
    assert (
        detail == "stopped: 2 processes of flask-sync for 0.71 s, 1 process of Postgres for 0.40 s"
    )


PARENT = """
import subprocess, sys, time
children = [subprocess.Popen([sys.executable, "-c", sys.argv[1]]) for _ in range(2)]
print(*(child.pid for child in children), flush=True)
try:
    sys.stdin.read()
finally:
    for child in children: child.kill()
"""


def watched(work: str, disturb: Callable[[int, list[int]], None]) -> tuple[Pause, ...]:
    """What a watcher sees of a process with two workers that do `work`."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, work],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout is not None
        workers = [int(pid) for pid in started.stdout.readline().split()]
        watcher = Watcher({"toy": (started.pid,)}, window_s=1.0)
        watcher.start()
        disturb(started.pid, workers)
        return watcher.stop()


def stop(*pids: int, seconds: float = 0.5) -> None:
    for pid in pids:
        subprocess.run(["kill", f"-{int(signal.SIGSTOP)}", str(pid)], check=True)
    time.sleep(seconds)
    for pid in pids:
        subprocess.run(["kill", f"-{int(signal.SIGCONT)}", str(pid)], check=True)


@pytest.mark.parametrize(
    ("events", "states", "lab", "seen"),
    [
        ("populated 1\nfrozen 0\n", "SS", "elsewhere", False),
        ("populated 1\nfrozen 0\n", "DD", "elsewhere", False),  # both wait for a disk
        ("populated 1\nfrozen 1\n", "SS", "elsewhere", True),  # version 2 of control groups
        ("", "DD", "elsewhere", True),  # version 1
        ("", "DD", "toy", False),  # it would be frozen itself: both wait for a disk
        ("", "DS", "elsewhere", False),  # one that waits for a disk
        ("", "RS", "elsewhere", False),
    ],
)
def test_a_frozen_group_is_a_pause(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    events: str,
    states: str,
    lab: str,
    seen: bool,
) -> None:
    """As of `docker pause`: two processes, of which the first started the other."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text(f"0::/docker/{lab}\n")
    for pid, state in zip((7, 8), states, strict=True):
        (tmp_path / f"{pid}").mkdir()
        parent = 1 if pid == 7 else 7
        (tmp_path / f"{pid}" / "stat").write_text(f"{pid} (toy) {state} {parent}{' 0' * 20}")
        (tmp_path / f"{pid}" / "cgroup").write_text("0::/docker/toy\n")
    (tmp_path / "docker" / "toy").mkdir(parents=True)
    (tmp_path / "docker" / "toy" / "cgroup.events").write_text(events)
    monkeypatch.setattr(procfs, "_PROC", tmp_path)
    monkeypatch.setattr(procfs, "_CGROUPS", tmp_path)
    watcher = Watcher({"toy": (7,)}, window_s=0.4)
    watcher.start()
    pauses = watcher.stop()
    assert {each.pid for each in pauses} == ({7, 8} if seen else set())


@pytest.mark.timed
def test_one_worker_that_is_stopped_is_seen() -> None:
    pauses = watched("import time; time.sleep(30)", lambda _, workers: stop(workers[1]))
    [pause] = pauses
    assert pause.name == "toy"
    assert pause.lasted_s > 0.3
    assert not service.kept_running(pauses, 1.0).passed


@pytest.mark.timed
def test_many_short_stops_add_up() -> None:
    def disturb(_: int, workers: list[int]) -> None:
        for _ in range(4):
            stop(workers[0], seconds=0.12)
            time.sleep(0.06)

    [pause] = watched("import time; time.sleep(30)", disturb)
    assert pause.lasted_s > 0.25


@pytest.mark.timed
def test_all_of_it_stopped_is_seen() -> None:
    pauses = watched("import time; time.sleep(30)", lambda root, workers: stop(root, *workers))
    assert len(pauses) == 3


@pytest.mark.timed
@pytest.mark.parametrize("work", ["import time; time.sleep(30)", "while True: pass"])
def test_who_waits_or_computes_is_not_stopped(work: str) -> None:
    assert watched(work, lambda *_: time.sleep(0.5)) == ()
