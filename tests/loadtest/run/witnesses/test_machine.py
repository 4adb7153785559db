from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.model.witness import CoreTime, Machine
from loadtest.run.load import LoadError
from loadtest.run.witnesses import machine, procfs
from loadtest.run.witnesses.machine import Own, Reading
from loadtest.run.witnesses.observer import Observer, Seen
from loadtest.run.witnesses.procfs import Core
from loadtest.system.cpus import Cpus

QUIET = Machine(
    lasted_s=2.0,
    service=CoreTime(1, idle_s=0.0, stolen_s=0.0, others_s=0.02),
    load=CoreTime(1, idle_s=1.0, stolen_s=0.0, others_s=0.02),
    throttled_s=0.0,
    swapped_in=0,
    memory_s=0.0,
    cpu_s=1.9,
    overslept_s=0.01,
)


def reading(at: float, *cores: Core, own: Own | None = None) -> Reading:
    return Reading(at, at, at, dict(enumerate(cores)), own, 0.0, 0, 0.0, 0.0)


def test_a_quiet_machine_passes() -> None:
    gate = machine.to_itself(QUIET)
    assert gate.passed
    assert gate.disturbance


@pytest.mark.parametrize(
    ("seen", "named"),
    [
        (
            replace(QUIET, service=CoreTime(1, 0.0, 0.0, 0.5)),
            "other programs on the services' core took up to 25.0%",
        ),
        (replace(QUIET, load=CoreTime(1, 0.0, 0.0, 0.5)), "other programs on the load's cores"),
        (replace(QUIET, service=CoreTime(1, 0.0, 0.2, 0.0)), "services' core took up to 10.0%"),
        (replace(QUIET, throttled_s=0.3), "a quota of CPU took up to 15.0%"),
        (replace(QUIET, memory_s=0.2), "waits for memory"),
        (replace(QUIET, memory_s=None, swapped_in=200), "waits for memory took up to 10.0%"),
        (replace(QUIET, overslept_s=0.7), "a machine that stood still took up to 35.0%"),
        (replace(QUIET, asleep_s=10.0), "a machine that slept"),
        (replace(QUIET, clock_s=3600.0), "a wall clock that was set"),
    ],
)
def test_each_thing_from_outside_is_named(seen: Machine, named: str) -> None:
    gate = machine.to_itself(seen)
    assert not gate.passed
    assert named in gate.detail


def test_a_window_has_to_be_watched_nearly_whole() -> None:
    """As where the lab itself was stopped, while the load and another program went on."""
    for lasted_s, window_s, enough in ((1.9, 2, True), (1.5, 2, False), (0.22, 0.3, True)):
        gate = machine.to_itself(replace(QUIET, lasted_s=lasted_s), window_s)
        assert ("were watched" not in gate.detail) == enough, lasted_s
    gate = machine.to_itself(replace(QUIET, lasted_s=0.02), 2.0)
    assert (gate.passed, gate.disturbance) == (False, True)
    assert gate.detail == "only 0.02 of 2.00 s of the window were watched"


def test_who_it_was_is_told() -> None:
    busy = replace(QUIET, service=CoreTime(1, 0.0, 0.0, 0.5), culprits={"make": 1.25})
    assert machine.to_itself(busy).detail.endswith("since the trial began: make 1.2 s")


@given(st.floats(0, 2), st.floats(0, 2))
def test_what_others_take_of_an_idle_core_costs_less(others_s: float, idle_s: float) -> None:
    busy = machine.lost(CoreTime(1, 0.0, 0.0, others_s), 2.0)
    found = machine.lost(CoreTime(1, idle_s, 0.0, others_s), 2.0)
    assert 0 <= found <= busy == pytest.approx(others_s / 2.0)
    assert machine.lost(CoreTime(4, 2.0 + idle_s, 0.0, others_s), 2.0) == 0.0


def test_others_are_what_the_cores_did_less_what_the_lab_did() -> None:
    before = reading(10.0, Core(5.0, 1.0, 0.0), Core(7.0, 1.0, 0.0), own=Own(3.0, 4.0))
    after = reading(12.0, Core(5.5, 1.1, 0.0), Core(8.0, 1.0, 0.2), own=Own(4.0, 4.5))
    seen = machine.between(before, after, Cpus(frozenset({0}), frozenset({1})))
    assert seen.service is not None
    assert seen.load is not None
    assert seen.service.idle_s == 0.5
    # A quarter of the core was idle, so a quarter of the interrupts was nobody's.
    assert seen.service.others_s == pytest.approx(2.0 - 0.5 - 1.0 - 0.025)
    assert seen.load.others_s == pytest.approx(2.0 - 1.0 - 0.2 - 0.5)
    assert seen.load.stolen_s == pytest.approx(0.2)


def test_cores_that_are_shared_are_counted_once() -> None:
    before = reading(10.0, Core(5.0, 0.0, 0.0), own=Own(3.0, 4.0))
    after = reading(12.0, Core(5.5, 0.0, 0.0), own=Own(3.5, 4.5))
    seen = machine.between(before, after, Cpus(None, None))
    assert seen.service == seen.load
    assert seen.service is not None
    assert seen.service.others_s == pytest.approx(0.5)


def test_where_the_lab_cannot_be_seen_others_cannot_be_told() -> None:
    before, after = reading(10.0, Core(5.0, 0.0, 0.0)), reading(12.0, Core(5.5, 0.0, 0.0))
    seen = machine.between(before, after, Cpus(None, None))
    assert seen.service is not None
    assert seen.service.others_s is None
    assert machine.to_itself(seen).passed


def shared(
    own_s: float, strangers: dict[int, float] | None, at: float = 10.0, gone: int = 0
) -> Reading:
    """One core for all, of which nothing is idle. `gone`: programs that began and ended."""
    found = reading(at, Core(0.0, 0.0, 0.0), own=Own(0.0, own_s))
    return replace(found, strangers=strangers, begun=len(strangers or ()) + gone)


@pytest.mark.parametrize(
    ("before", "after", "others_s"),
    [
        ({7: 1.0, 8: 0.0}, {7: 1.1, 8: 0.0}, 0.1),
        ({7: 1.0}, {7: 1.1, 9: 0.2}, 0.3),
        ({7: 1.0}, {7: 3.0}, 0.5),
        # What a program did that has ended may be nowhere; then all that is left counts.
        ({7: 1.0, 8: 5.0}, {7: 1.0}, 0.5),
        (None, None, 0.5),
    ],
    ids=["one ran", "one began", "more cores", "one ended", "out of sight"],
)
def test_others_took_no_more_than_they_ran(
    before: dict[int, float] | None, after: dict[int, float] | None, others_s: float
) -> None:
    found = machine.between(shared(0.0, before), shared(1.5, after, 12.0), Cpus(None, None))
    assert found.load is not None
    assert found.load.others_s == pytest.approx(others_s)


def test_a_program_that_began_and_ended_meanwhile_is_not_overlooked() -> None:
    before, after = shared(0.0, {7: 1.0}), shared(1.5, {7: 1.0}, 12.0, gone=1)
    found = machine.between(before, after, Cpus(None, None))
    assert found.load is not None
    assert found.load.others_s == pytest.approx(0.5)


def test_threads_of_the_kernel_that_serve_whoever_runs_are_no_strangers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """But its workers are: they write and encrypt for other programs."""
    names = {2: "kthreadd", 3: "ksoftirqd/0", 4: "kworker/0:1", 5: "kdamond.0", 6: "cron"}
    stats = {
        pid: procfs.Stat(pid, name, "S", 0 if pid == 2 else 2 if pid < 6 else 1, float(pid))
        for pid, name in names.items()
    }
    monkeypatch.setattr(procfs, "read", stats.get)
    monkeypatch.setattr(procfs, "everything", lambda: stats)
    assert machine.read([10], [11]).strangers == {2: 2.0, 4: 4.0, 5: 5.0, 6: 6.0}
    assert machine.read([10], []).strangers is None
    del stats[2]
    assert machine.read([10], [11]).strangers is None


@contextmanager
def spinning(core: int) -> Iterator[int]:
    """A program on `core` that does not descend from this one, for as long as the block lasts."""
    code = (
        "import os, sys, time\n"
        "if os.fork(): os._exit(0)\n"
        "os.setsid(); os.sched_setaffinity(0, {int(sys.argv[1])})\n"
        "print(os.getpid(), flush=True)\n"
        "end = time.monotonic() + 20\n"
        "while time.monotonic() < end: pass\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(core)], stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        pid = int(started.stdout.readline())
        try:
            yield pid
        finally:
            os.kill(pid, 9)


@pytest.mark.timed
def test_a_program_that_spins_is_seen_and_named() -> None:
    core = min(os.sched_getaffinity(0))
    with spinning(core):
        observer = Observer({"toy": os.getpid()}, {}, Cpus(None, frozenset({core})), 1.0)
        observer.enter("measured")
        time.sleep(1.0)
        observer.enter("done")
    seen = observer.seen.machine
    assert seen is not None
    assert seen.lasted_s >= 1.0
    assert seen.load is not None
    gate = machine.to_itself(seen)
    assert not gate.passed, gate.detail
    assert seen.culprits


def test_threads_of_the_kernel_are_named_but_for_those_that_work_for_the_lab(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def threads(cpu_s: float) -> dict[int, procfs.Stat]:
        names = ("kdamond.0", "kswapd0", "kworker/0:1-events", "ksoftirqd/0", "init")
        parents = (2, 2, 2, 2, 0)
        return {
            10**8 + place: procfs.Stat(10**8 + place, name, "R", parent, cpu_s)
            for place, (name, parent) in enumerate(zip(names, parents, strict=True))
        }

    readings = iter([threads(0.0), threads(1.0)])
    monkeypatch.setattr(procfs, "everything", lambda: next(readings))
    stolen = replace(QUIET, load=CoreTime(1, idle_s=0.0, stolen_s=1.0, others_s=0.0))
    monkeypatch.setattr(machine, "between", lambda *_, **__: stolen)
    observer = Observer({}, {}, Cpus(None, frozenset({0})), 1.0)
    observer.enter("measured")
    observer.enter("done")
    assert observer.seen.machine is not None
    assert observer.seen.machine.culprits == {
        "kdamond.0": 1.0,
        "kswapd0": 1.0,
        "kworker/0:1-events": 1.0,
    }


def test_nothing_watches_on_after_a_window_that_never_came_to_its_end() -> None:
    before = set(threading.enumerate())
    observer = Observer({}, {"self": [os.getpid()]}, Cpus(None, None), 1.0)

    def window() -> None:
        with observer:
            observer.enter("measured")
            assert set(threading.enumerate()) > before
            raise LoadError("Locust was killed")

    with pytest.raises(LoadError):
        window()
    assert set(threading.enumerate()) <= before
    assert observer.seen == Seen()
