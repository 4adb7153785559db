"""Children never outlive the lab, and say why they died."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from loadtest.system.processes import Process, ProcessError, Processes, pinned, wait_until
from tests.waiting import eventually, gone

# A leader that ignores SIGTERM and has a child of its own.
STUBBORN = 'trap "" TERM; sleep 1000 & echo $! > child; echo up; wait'
ENVIRONMENT = {"PATH": os.environ["PATH"]}


def start(processes: Processes, folder: Path, script: str) -> Process:
    return processes.start(
        "toy", ["/bin/sh", "-c", script], log=folder / "log", cwd=folder, environment=ENVIRONMENT
    )


def test_leaving_the_context_ends_the_whole_group(tmp_path: Path) -> None:
    with Processes() as processes:
        process = start(processes, tmp_path, "sleep 1000 & echo $! > child; wait")
        assert eventually(lambda: (tmp_path / "child").exists() and pids(tmp_path / "child"))
    assert gone(process.pid)
    assert eventually(lambda: gone(pids(tmp_path / "child")[0]))


def test_a_process_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    with Processes() as processes:
        process = start(processes, tmp_path, STUBBORN)
        assert eventually(lambda: "up" in process.tail())
        assert processes.stop(process, grace_s=0.2) == [-signal.SIGKILL]
        assert eventually(lambda: gone(pids(tmp_path / "child")[0]))


def test_what_is_paused_still_hears_the_signal(tmp_path: Path) -> None:
    waiting = "echo up; while :; do sleep 0.02; done"
    script = (
        f"setsid sh -c '{waiting}' & server=$!; trap 'kill $server; wait; exit 7' TERM; {waiting}"
    )
    with Processes() as processes:
        process = start(processes, tmp_path, script)
        assert eventually(lambda: process.tail().count("up") == 2)
        paused = [root := psutil.Process(process.pid), *root.children(recursive=True)]
        for each in paused:
            with contextlib.suppress(psutil.NoSuchProcess):  # the sleeping come and go
                each.suspend()
        assert eventually(lambda: root.status() == psutil.STATUS_STOPPED)
        assert processes.stop(process, grace_s=30) == [7]
        assert eventually(lambda: all(gone(each.pid) for each in paused))


def test_a_server_in_a_group_of_its_own_is_killed_too(tmp_path: Path) -> None:
    with Processes() as processes:
        process = start(processes, tmp_path, f"trap '' TERM; setsid --wait sh -c '{STUBBORN}'")
        assert eventually(lambda: "up" in process.tail())
        processes.stop(process, grace_s=0.2)
        assert gone(pids(tmp_path / "child")[0])


def test_a_server_in_a_group_of_its_own_outlives_no_leader(tmp_path: Path) -> None:
    """The leader hears the signal and ends, the server ignores it."""
    with Processes() as processes:
        process = start(processes, tmp_path, f"setsid sh -c '{STUBBORN}' & wait")
        assert eventually(lambda: "up" in process.tail())
        assert processes.stop(process, grace_s=60) == [-signal.SIGTERM]
        assert gone(pids(tmp_path / "child")[0])


def test_a_killed_lab_leaves_nothing(tmp_path: Path) -> None:
    script = f"""
import os, pathlib, signal, sys
from loadtest.system.processes import Processes
folder = pathlib.Path({str(tmp_path)!r})
with Processes() as processes:
    process = processes.start(
        "toy", ["/bin/sh", "-c", "sleep 1000 & echo $! > child; echo $$ > leader; wait"],
        log=folder / "log", cwd=folder, environment={ENVIRONMENT!r},
    )
    while not (folder / "leader").exists():
        pass
    os.kill(os.getpid(), signal.SIGKILL)
"""
    finished = subprocess.run([sys.executable, "-c", script], check=False)
    assert finished.returncode == -signal.SIGKILL
    left = pids(tmp_path / "leader") + pids(tmp_path / "child")
    assert eventually(lambda: all(map(gone, left)))


def test_a_process_that_dies_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with Processes() as processes:
        process = start(processes, tmp_path, "echo no such table; exit 3")
        with pytest.raises(ProcessError, match=r"(?s)toy ended with exit code 3.*no such table"):
            wait_until(process, lambda: False, timeout_s=20, waiting_for="answer")


def test_a_command_that_goes_to_the_background_is_told_to_stay(tmp_path: Path) -> None:
    with Processes() as processes:
        process = start(processes, tmp_path, "exit 0")
        with pytest.raises(ProcessError, match="exit code 0; start it in the foreground"):
            wait_until(process, lambda: False, timeout_s=20, waiting_for="answer")


def test_a_process_that_is_never_ready_is_told(tmp_path: Path) -> None:
    with Processes() as processes:
        process = start(processes, tmp_path, "sleep 1000")
        with pytest.raises(ProcessError, match="toy gave no answer within 0 s"):
            wait_until(process, lambda: False, timeout_s=0.1, waiting_for="answer")


def test_children_do_not_get_the_terminals_interrupt(tmp_path: Path) -> None:
    with Processes() as processes:
        process = start(processes, tmp_path, "sleep 1000")
        assert os.getpgid(process.pid) == process.pid != os.getpgid(0)


def test_pinning_reaches_children_and_ends_with_the_block(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    core = frozenset({min(before)})
    with Processes() as processes:
        process = processes.start(
            "toy",
            ["sleep", "1000"],
            log=tmp_path / "log",
            cwd=tmp_path,
            environment=ENVIRONMENT,
            cpus=core,
        )
        assert psutil.Process(process.pid).cpu_affinity() == list(core)
    assert os.sched_getaffinity(0) == before


def test_pinning_concerns_the_calling_thread_alone() -> None:
    before = os.sched_getaffinity(0)
    seen: list[set[int]] = []
    core = frozenset({min(before)})
    ready, done = threading.Event(), threading.Event()

    def other() -> None:
        ready.set()
        done.wait()
        seen.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=other)
    thread.start()
    ready.wait()
    with pinned(core):
        done.set()
        thread.join()
    assert seen == [before]


def pids(path: Path) -> list[int]:
    """Process ids that a script wrote."""
    return [int(word) for word in path.read_text().split()]
