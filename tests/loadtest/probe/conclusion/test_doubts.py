"""What looks alike from outside is named together, and no thread is told of that is not there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from loadtest.probe import processes
from loadtest.probe.conclusion import binding
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.record import Conclusion, Sighting, Step
from tests.loadtest.probe.sightings import crowded, full, ramp, read_all, seen, server, waves

POOL = "pool or upstream"


def names(said: Conclusion) -> set[str]:
    return {said.binding.name, *said.binding.could_be}


@pytest.mark.parametrize("threads", [2, 3, 9])
@pytest.mark.parametrize("new", [0, 1])
def test_threads_that_were_there_before_are_no_event_loop_that_blocks(
    threads: int, new: int
) -> None:
    """A lock in gunicorn's gthread, probed again: its threads stay, and it leaves much unread."""
    gthread = server(loop=True, threads=threads - new)
    said = conclude(seen(full(1, threads=threads), server=gthread))
    assert said.binding.name == "one at a time"
    assert said.binding.could_be == binding.UNSURE
    assert not any("FastAPI" in each for each in said.advice)
    assert all(each in said.sentences[1] for each in binding.UNSURE)


@pytest.mark.parametrize("program", sorted(binding.EVENT_LOOPS))
def test_a_program_that_is_an_event_loop_may_have_any_threads(program: str) -> None:
    warm = server(program=program, loop=True, threads=41)
    said = conclude(seen(full(1, threads=41), server=warm))
    assert "something blocks the loop" in said.sentences[1]
    assert said.binding.could_be == ()
    locked = conclude(seen(read_all(full(1, threads=41)), server=warm))
    assert locked.binding.could_be == ("a lock", "a pool of one")


def test_a_loop_without_other_threads_is_blocked_whatever_its_program() -> None:
    said = conclude(seen(full(1), server=server(loop=True)))  # as gevent in gunicorn
    assert "something blocks the loop" in said.sentences[1]


def behind(
    threads: int, pool: int, before: int, *, grouped: bool, program: str = "gunicorn"
) -> Sighting:
    """Threads that take a request each, and a pool that lets fewer of them work."""
    steps = tuple(
        replace(each, taken=min(each.connections, threads))
        for each in full(pool, threads=threads + 1)
    )
    steps = read_all(steps) if program == "uvicorn" else steps
    groups = waves(pool, 0.1, 2 * pool + 2) if grouped else ()
    return seen(steps, server=server(program=program, loop=True, threads=before), waves=groups)


@pytest.mark.parametrize("pool", [8, 12, 14, 15])
@pytest.mark.parametrize("before", [1, 2, 17], ids=["new", "asked", "warm"])
@pytest.mark.parametrize("grouped", [True, False], ids=["waves", "rate"])
def test_a_pool_that_is_smaller_than_the_threads_is_named(
    pool: int, before: int, grouped: bool
) -> None:
    said = conclude(behind(16, pool, before, grouped=grouped))
    assert POOL in names(said)
    assert set(re.findall(r"× (\d+) thread", said.sentences[1])) <= {"16", "17"}
    assert "15 threads" not in said.advice[0]


@pytest.mark.parametrize("before", [1, 2, 41], ids=["new", "asked", "warm"])
def test_a_group_that_lacks_one_of_forty_threads_keeps_its_name_with_a_doubt(before: int) -> None:
    """AnyIO's threads: one answer may have been late, or the pool has 39."""
    said = conclude(behind(40, 39, before, grouped=True, program="uvicorn"))
    assert names(said) == {"slots", POOL}
    assert "1 process × 40 threads" in said.sentences[1]
    assert said.advice[0].startswith("With 80 threads instead of 40")


def test_groups_that_lack_a_thread_are_a_doubt_on_a_crowded_machine_too() -> None:
    what = behind(16, 15, 2, grouped=True)
    busy = conclude(replace(what, steps=crowded(what.steps, used=0.2, ready=0.2)))
    assert (busy.binding.name, busy.slots.value, busy.slots.low) == ("slots", 16, 15)
    assert POOL in busy.binding.could_be
    waited = conclude(replace(what, steps=crowded(what.steps, used=0.2, ready=1.0)))
    assert waited.binding.name == "slots"  # every answer was late for want of a core
    assert POOL not in waited.binding.could_be


def test_threads_that_all_work_leave_no_doubt() -> None:
    for before in (1, 2, 17):
        for grouped in (True, False):
            assert names(conclude(behind(16, 16, before, grouped=grouped))) == {"slots"}


@pytest.mark.parametrize("count", [2, 4, 16])
@pytest.mark.parametrize("grouped", [True, False], ids=["waves", "rate"])
def test_processes_alone_leave_no_doubt(count: int, grouped: bool) -> None:
    """Nor where a connection for each request takes a little of the rate."""
    steps = tuple(
        replace(each, rps=0.96 * each.rps, workers=(each.server / count,) * count)
        for each in full(count)
    )
    groups = waves(count, 0.1, 3 * count + 2) if grouped else ()
    said = conclude(seen(steps, server=server(processes=count), waves=groups))
    assert names(said) == {"slots"}
    assert said.slots.value == count


@pytest.mark.parametrize(("taken", "doubt"), [(10, ()), (11, (POOL,))])
def test_a_server_that_reads_more_than_it_works_on_may_have_a_pool(
    taken: int, doubt: tuple[str, ...]
) -> None:
    """Its threads tell nothing: it is no Python."""
    steps = tuple(replace(each, taken=min(each.connections, taken)) for each in full(10))
    said = conclude(seen(steps, server=server(program="java", one_core=False)))
    assert (said.binding.name, said.binding.could_be) == ("slots", doubt)


FREE = server(loop=True, one_core=False, free_threaded=True)


def using(cores: float, steps: Sequence[Step], **known: object) -> tuple[Step, ...]:
    """The same steps of one process that takes so much."""
    idle = 2 - cores
    return tuple(replace(each, workers=(cores,), idle=idle, **known) for each in steps)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cores", "name", "could_be"),
    [
        (0.5, "slots", ()),
        (0.97, "slots", ("one full core",)),  # its GIL may be on
        (1.4, "slots", ()),
        (1.9, "cpu", ()),
    ],
)
def test_a_python_without_a_gil_is_full_with_all_its_cores(
    cores: float, name: str, could_be: tuple[str, ...]
) -> None:
    steps = using(cores, full(8, wait_s=0.02, threads=9), ready=1.0)
    said = conclude(seen(steps, server=FREE))
    assert (said.binding.name, said.binding.could_be) == (name, could_be)
    with_gil = replace(FREE, one_core=True, free_threaded=False)
    assert (conclude(seen(steps, server=with_gil)).binding.name == "cpu") == (cores >= 0.85)


def test_the_threads_of_a_python_without_a_gil_are_slots() -> None:
    said = conclude(seen(full(8, threads=9), server=FREE, waves=waves(8, 0.1, 26)))
    assert "1 process × 8 threads" in said.sentences[1]


def test_an_event_loop_without_a_gil_computes_on_one_core() -> None:
    loop = replace(FREE, program="uvicorn")
    said = conclude(seen(using(0.96, ramp(1, 0.01, 64)), server=loop))
    assert said.binding.name == "cpu"
    assert said.advice[0].startswith("With 2 processes instead of 1")


@pytest.mark.parametrize(
    ("program", "one_core", "free_threaded"),
    [
        ("python3.14", True, False),
        ("python3.14t", False, True),
        ("python", True, False),
        ("pypy3.11", True, False),
        ("node", True, False),
        ("ruby3.3", True, False),
        ("nginx", False, False),
        ("java", False, False),
    ],
)
def test_the_name_of_a_program_tells_on_how_many_cores_it_computes(
    program: str, one_core: bool, free_threaded: bool
) -> None:
    assert processes.on_one_core(program) == one_core
    assert processes.free_threaded(program) == free_threaded
