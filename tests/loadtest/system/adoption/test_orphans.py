"""What a started command leaves behind ends with it; nothing else of the lab's is touched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from loadtest.system.adoption import orphans
from loadtest.system.adoption.orphans import Orphans
from loadtest.system.processes import Processes
from tests.waiting import eventually, gone

# Each writes its process id and goes on for ever.
DAEMON = "echo $$ > daemon; exec sleep 1000"
STUBBORN = 'trap "" TERM; (echo $$ > daemon; exec sleep 1000) & echo $! > child; wait'


@pytest.fixture
def processes() -> Iterator[Processes]:
    with Processes() as found:
        yield found


def leave_behind(processes: Processes, folder: Path, script: str) -> int:
    """The process id of a daemon whose leader has ended."""
    leader = f"setsid sh -c '{script}' & while ! test -s daemon; do sleep 0.02; done"
    command = ["/bin/sh", "-c", leader]
    process = processes.start(
        "toy", command, log=folder / "log", cwd=folder, environment={"PATH": os.environ["PATH"]}
    )
    assert process.popen.wait(90) == 0
    return int((folder / "daemon").read_text())


@pytest.mark.parametrize("script", [DAEMON, STUBBORN])
def test_a_daemon_ends_with_the_block(
    script: str, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "GRACE_S", 0.2)
    with Orphans(processes) as found:
        pid = leave_behind(processes, tmp_path, script)
        assert found.pids() == [pid]
        below = psutil.Process(pid).children()
    assert gone(pid)
    assert all(gone(each.pid) for each in below)
    assert not orphans.adopt(wanted=False)


def test_one_that_ends_by_itself_is_collected(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "COLLECTED_EVERY_S", 0.01)
    with Orphans(processes):
        pid = leave_behind(processes, tmp_path, DAEMON)
        psutil.Process(pid).kill()
        assert eventually(lambda: not psutil.pid_exists(pid))


def test_what_the_lab_awaits_itself_is_no_orphan(tmp_path: Path) -> None:
    before = subprocess.Popen(["sleep", "1000"])
    with Orphans(object()) as found, Processes() as others:
        meanwhile = subprocess.Popen(["sleep", "1000"])
        theirs = others.start(
            "theirs",
            ["/bin/sh", "-c", "(sleep 1000 & echo $! > child); sleep 1000"],
            log=tmp_path / "log",
            cwd=tmp_path,
            environment={"PATH": os.environ["PATH"]},
        )
        child = tmp_path / "child"
        assert eventually(lambda: child.exists() and child.read_text())
        found.stop()
        assert found.pids() == []
        for popen in (before, meanwhile, theirs.popen):
            assert popen.poll() is None
        assert not gone(int(child.read_text()))
    for popen in (before, meanwhile):
        popen.kill()
        popen.wait()
