"""Forks of Locust: each gets what it was ordered, and none outlives who asked for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from loadtest.run.forkserver import Fork, ForkServer, Order
from loadtest.system.ports import held
from tests.waiting import eventually, gone

LOCUSTFILE = """\
import os, pathlib
from locust import User, task
pathlib.Path(os.environ["MARK"]).write_text(f"{os.getpid()} {sorted(os.sched_getaffinity(0))}")
class Idle(User):
    @task
    def nothing(self): pass
    wait_time = lambda self: 0.1
"""
ENDLESS = ("--headless", "--users=1")


@pytest.fixture(scope="module")
def forks() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


def order(folder: Path, *arguments: str) -> Order:
    path = folder / "locustfile.py"
    path.write_text(LOCUSTFILE)
    variables = {**os.environ, "MARK": str(folder / "mark")}
    return Order(["-f", str(path), *arguments], variables, str(folder / "log"), [0])


def begun(folder: Path) -> int:
    """The process id of the fork, once it runs."""
    mark = folder / "mark"
    assert eventually(lambda: mark.exists() and bool(mark.read_text()))
    pid, _, cpus = mark.read_text().partition(" ")
    assert cpus == "[0]"
    return int(pid)


def ended(fork: Fork) -> int | None:
    """Its exit code, once it has one."""
    code: int | None = None

    def over() -> bool:
        nonlocal code
        code = fork.code()
        return code is not None

    assert eventually(over)
    return code


def test_a_fork_has_its_own_environment_cores_and_log(forks: ForkServer, tmp_path: Path) -> None:
    with forks.start(order(tmp_path, "--list")) as fork:
        assert ended(fork) == 0
    assert begun(tmp_path) != os.getpid()
    assert "Idle" in (tmp_path / "log").read_text()


def test_a_fork_that_fails_says_so(forks: ForkServer, tmp_path: Path) -> None:
    with forks.start(order(tmp_path, "--no-such-option")) as fork:
        assert ended(fork) == 2
    assert "--no-such-option" in (tmp_path / "log").read_text()


def test_a_fork_is_gone_with_its_workers_after_its_block(forks: ForkServer, tmp_path: Path) -> None:
    with held(1) as (port,):
        shared = ("--processes=2", f"--master-bind-port={port}", f"--master-port={port}")
        with forks.start(order(tmp_path, *ENDLESS, *shared)) as fork:
            pid = begun(tmp_path)
            assert fork.code() is None
    assert members(pid) == []


def test_nothing_is_left_when_the_lab_is_killed(tmp_path: Path) -> None:
    asked = order(tmp_path, *ENDLESS)
    script = (
        "import time; from loadtest.run.forkserver import *\n"
        f"with ForkServer() as forks, forks.start({asked!r}): time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as lab:
        pid = begun(tmp_path)
        os.kill(lab.pid, signal.SIGKILL)
        lab.wait()
    assert eventually(lambda: gone(pid))


@pytest.mark.parametrize("signals", [["INT"] * 3, ["TERM"], ["HUP"], ["KILL"]])
def test_no_folder_is_left_however_the_lab_ends(tmp_path: Path, signals: list[str]) -> None:
    asked = order(tmp_path, *ENDLESS)
    script = (
        "import signal, time; from loadtest import cli; from loadtest.run.forkserver import *\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # nohup has it ignored, and all below it
        "cli.interruptible()\n"
        f"with ForkServer() as forks, forks.start({asked!r}): time.sleep(300)"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TMPDIR": folder}
        with subprocess.Popen([sys.executable, "-c", script], env=environment) as lab:
            pid = begun(tmp_path)
            assert list(Path(folder).iterdir())
            for name in signals:
                lab.send_signal(signal.Signals[f"SIG{name}"])
                time.sleep(0.02)  # a hand is not faster
            assert lab.wait(90) != 0
        assert eventually(lambda: gone(pid))
        assert eventually(lambda: not list(Path(folder).iterdir()))


def test_nothing_is_left_when_the_server_is_killed_first(tmp_path: Path) -> None:
    with ForkServer() as forks, forks.start(order(tmp_path, *ENDLESS)):
        pid = begun(tmp_path)
        server = psutil.Process(pid).parents()[1]
        os.killpg(server.pid, signal.SIGKILL)
    assert eventually(lambda: members(pid) == [])


def members(group: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(process.pid) == group and not gone(process.pid):
                found.append(process.pid)
    return found
