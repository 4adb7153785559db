"""What counters tell of the machine: of those cores alone on which the load or the server runs."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import pytest

from loadtest.model.target import Target
from loadtest.probe import processes
from loadtest.probe.limits import Allowance
from loadtest.probe.moments import Asker
from loadtest.probe.parts.looks import Counters, Looks
from loadtest.probe.processes import Serving
from loadtest.run.witnesses import procfs
from loadtest.run.witnesses.procfs import Core
from loadtest.system import cpus

NOWHERE = (int(socket.AF_INET), ("127.0.0.1", 9))
BEFORE = Counters(
    at=1.0, cpu_s=(2.0, 3.0), own_s=0.0, cores=2, idle_s=0.0, stolen_s=0.0, reconnects=0
)


def counted(
    monkeypatch: pytest.MonkeyPatch, allowed: set[int], server: set[int] | None = None
) -> tuple[int, float]:
    """Of a machine of three cores: how many were counted, and their idle seconds."""
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: (server or set()) if pid else allowed)
    there = {number: Core(10.0**number, 0.0, 0.0) for number in range(3)}
    monkeypatch.setattr(procfs, "cores", lambda: there)
    serving = Serving(NOWHERE, [os.getpid()]) if server else None
    asker = Asker(Allowance())
    with asker.asking(Target("http://127.0.0.1:9/"), NOWHERE) as stream:
        found = Looks(asker, stream, serving).counters()
    asker.close()
    return found.cores, found.idle_s


def test_other_cores_of_the_machine_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, {0, 1}) == (2, 11.0)


def test_cores_of_the_server_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, {0}, server={0, 2}) == (2, 101.0)


def test_cores_that_are_not_in_sight_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, {0, 7}) == (0, 0.0)


def test_a_quota_leaves_none_of_its_cores_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It pays for two, and they may be any of them: what others take is compared with all."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    monkeypatch.setattr(cpus, "quota_cores", lambda: 2.0)
    assert len(processes.watched_cores(None)) == 64


@pytest.mark.parametrize(
    ("then", "used"), [((2.5, 3.0), (0.25, 0.0)), ((), ()), ((2.5, 3.0, 0.0), ())]
)
def test_cpu_of_processes_that_are_not_all_there_is_not_known(
    then: tuple[float, ...], used: tuple[float, ...]
) -> None:
    assert replace(BEFORE, at=3.0, cpu_s=then).used(BEFORE) == used
