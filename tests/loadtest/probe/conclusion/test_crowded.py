"""Slots and what holds them where other programs have the cores: facts before rates, and doubts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.record import Step, Wave
from loadtest.probe.slots import slots
from tests.loadtest.probe import sightings
from tests.loadtest.probe.sightings import (
    GLANCE,
    crowded,
    ramp,
    read_all,
    seen,
    server,
    step,
    waves,
)

UVICORN = server(program="uvicorn", loop=True)


def held(count: int, shown: float, used: float = 0.3, **known: object) -> tuple[Step, ...]:
    """A full server that leaves requests unread, on such a machine: its rate shows fewer slots."""
    steps = tuple(
        replace(each, rps=min(each.connections, shown) / 0.1, **known)  # type: ignore[arg-type]
        for each in sightings.full(count)
    )
    return crowded(steps, used=used, ready=0.2)


def test_threads_that_all_have_a_request_are_the_slots_though_the_rate_shows_fewer() -> None:
    for shown in (12.5, 13.0, 14.4, 16.4):
        steps = held(16, shown, threads=9)
        said = conclude(seen(steps, server=server(processes=2, loop=True)))
        assert (said.binding.name, said.slots.value) == ("slots", 16)
        assert said.slots.low <= round(shown)


def test_late_answers_of_waves_take_no_slots_from_threads_that_are_there() -> None:
    steps = held(16, 13.9, threads=9)
    what = seen(steps, server=server(processes=2, loop=True), waves=waves(14, 0.1, 30))
    said = conclude(what)
    assert (said.binding.name, said.slots.value, said.slots.low) == ("slots", 16, 14)
    assert "pool or upstream" in said.binding.could_be


def test_a_pool_that_is_smaller_than_the_threads_stays_possible() -> None:
    steps = held(10, 8, threads=11)
    busy = conclude(seen(steps, server=server(loop=True)))
    assert (busy.slots.low, busy.slots.value) == (8, 10)
    assert {"pool or upstream", "other programs, which took 1.50 of 2 cores"} <= set(
        busy.binding.could_be
    )
    quiet = tuple(replace(each, others=0.1, idle=1.5) for each in steps)
    said = conclude(seen(quiet, server=server(loop=True)))
    assert (said.binding.name, said.slots.value) == ("pool or upstream", 8)


def test_threads_that_come_with_each_connection_are_no_slots() -> None:
    """As Flask's development server: 32 connections, 32 threads, and a machine that is full."""
    steps = [step(1, 1, 0.2), step(4, 4, 0.2), step(16, 16, 0.2), step(32, 27, 0.2)]
    slow = [replace(each, error=0.3, threads=1 + each.connections) for each in steps]
    late = replace(slow[-1], mean_s=0.4, p50_s=0.4, rps=80)
    what = seen(crowded(read_all((*slow[:-1], late)), used=0.4), server=server(), limit=32)
    said = conclude(what)
    assert said.binding.name != "slots"
    assert (said.slots.at_least, said.binding.could_be) != (False, ())


def test_a_pool_on_such_a_machine_may_be_larger_than_its_rate_shows() -> None:
    steps = crowded(read_all(ramp(13, 0.1, 64)), used=0.3, ready=0.2)
    found = conclude(seen(steps, server=UVICORN)).slots
    assert (found.value, found.low, found.high) == (13, 13, 26)
    quiet = conclude(seen(read_all(ramp(13, 0.1, 64)), server=UVICORN)).slots
    assert quiet.high == 13


def blurred(slots_there: int, count: int, late_s: float) -> Wave:
    """A wave whose answers end one after another, each group within `late_s`."""
    return Wave(
        tuple(
            0.1 * (1 + number // slots_there)
            + late_s * (number % slots_there) / max(1, slots_there - 1)
            for number in range(count)
        )
    )


def test_waves_that_agree_tell_a_pool_whose_answers_are_late() -> None:
    steps = tuple(replace(each, least_s=0.099) for each in ramp(13, 0.1, 64))
    late = tuple(blurred(15, 32, each) for each in (0.05, 0.06, 0.055, 0.065))
    busy = crowded(read_all(steps), used=0.3)
    found = slots(seen(busy, waves=late))
    assert (found.value, found.low, found.waves) == (15, 12, True)
    assert not slots(seen(steps, waves=late)).waves  # a rate tells more where nothing else runs
    assert not slots(seen(busy, waves=late[:2])).waves
    differ = tuple(blurred(each, 32, 0.05) for each in (12, 13, 15, 16))
    assert not slots(seen(busy, waves=differ)).waves
    alike = tuple(blurred(each, 32, 0.05) for each in (14, 15, 15, 9))
    assert slots(seen(busy, waves=alike)).value == 15


def test_waves_tell_more_than_a_rate_whose_interval_allows_for_it() -> None:
    """A rate of half of the slots, as the server itself had to wait for a core."""
    steps = tuple(replace(each, least_s=0.099, error=0.4) for each in ramp(5, 0.1, 32))
    late = tuple(blurred(10, 22, each) for each in (0.05, 0.06, 0.055, 0.065))
    found = slots(seen(crowded(read_all(steps), used=0.1, ready=0.9), waves=late))
    assert (found.value, found.waves) == (10, True)
    sure = tuple(replace(each, error=0.02) for each in steps)
    assert not slots(seen(crowded(read_all(sure), used=0.1, ready=0.9), waves=late)).waves


def test_a_wait_that_varies_by_itself_has_no_blurred_groups() -> None:
    steps = tuple(replace(each, least_s=0.055) for each in ramp(4, 0.1, 64))
    late = (blurred(4, 14, 0.06),) * 4
    assert not slots(seen(crowded(steps, used=0.1), waves=late)).waves


def test_a_quick_answer_that_others_make_late_is_a_quick_one() -> None:
    """Nor do waves of such requests tell slots."""
    steps = tuple(replace(each, least_s=0.001) for each in ramp(3, 0.007, 64))
    what = seen(crowded(steps, used=0.2), server=server(), glance=replace(GLANCE, kept=False))
    late = replace(what, waves=waves(3, 0.007, 11))
    said = conclude(late)
    assert (said.binding.name, said.slots.at_least) == ("connections", True)
    assert "cpu" in said.binding.could_be
    kept = conclude(replace(late, steps=tuple(replace(each, least_s=0.007) for each in what.steps)))
    assert kept.binding.name == "slots"


@pytest.mark.parametrize("shown", [3.45, 4.6])
def test_workers_are_the_slots_where_a_wait_that_varies_hides_them(shown: float) -> None:
    steps = tuple(
        replace(each, rps=min(each.connections, shown) / 0.1, error=0.15, others=0.1, idle=1.5)
        for each in sightings.full(4)
    )
    assert slots(seen(steps)).value != 4
    said = conclude(seen(steps, server=server(processes=4)))
    assert (said.binding.name, said.slots.value) == ("slots", 4)
    assert said.slots.low <= shown <= said.slots.high


@pytest.mark.parametrize("there", [4, 5, 6, 8])
def test_threads_that_an_event_loop_leaves_idle_are_no_slots(there: int) -> None:
    """As many before the load as at it: those that look names up, say. Six may be so by chance."""
    steps = tuple(replace(each, error=0.9) for each in ramp(6, 0.1, 64, threads=there + 1))
    what = seen(crowded(read_all(steps), used=0.2), server=replace(UVICORN, threads=there + 1))
    said = conclude(what)
    assert (said.binding.name, said.slots.value) == ("pool or upstream", 6)


def test_two_groups_that_a_stall_made_one_are_no_slots() -> None:
    """Nobody read the first answers before the second group had ended, too."""
    stalled = (Wave((*(0.19 + 0.0002 * each for each in range(40)), *(0.21,) * 40)),) * 4
    steps = crowded(read_all(ramp(40, 0.1, 128)), used=0.2)
    found = slots(seen(steps, waves=stalled))
    assert (found.value, found.at_least) == (40, False)


def test_at_least_so_many_slots_are_there_though_every_answer_is_late() -> None:
    """The lower bound takes the quickest answer: the others waited for a core."""
    steps = tuple(
        replace(each, least_s=0.1, p50_s=0.13, mean_s=0.14, rps=min(each.connections, 15) / 0.1)
        for each in ramp(15, 0.1, 16)
    )
    found = slots(seen(crowded(read_all(steps), used=0.2), limit=16))
    assert found.at_least
    assert found.value <= 15


def test_a_step_that_a_stall_lowered_hides_no_limit() -> None:
    """At sixteen the median shows that nobody waited, and at sixty-four everybody did."""
    steps = [replace(each, least_s=0.1) for each in map(step_of_15, (1, 4, 16, 64))]
    steps[2] = replace(steps[2], rps=93, mean_s=0.157, p50_s=0.105, error=0.13)
    said = conclude(seen(crowded(read_all(steps), used=0.1), server=UVICORN, limit=64))
    assert said.binding.name == "pool or upstream"
    assert said.slots.low <= 15 <= said.slots.high


def step_of_15(connections: int) -> Step:
    """A step at a service with 15 slots."""
    return step(connections, 15, 0.1)


def test_the_largest_groups_that_end_at_one_moment_are_slots_however_uneven_workers_are() -> None:
    """Two workers of eight threads: one has few of the connections, and the rate falls short."""
    uneven = tuple(
        Wave((*(0.104,) * first, *(0.206,) * 8, *(0.31,) * (15 - first)))
        for first in (12, 12, 11, 11)
    )
    even = (Wave((*(0.104,) * 16, *(0.206,) * 7)),) * 2
    steps = tuple(
        replace(each, rps=min(each.rps, 106), taken=11) for each in held(16, 16, threads=9)
    )
    workers = server(processes=2, threads=2)
    said = conclude(seen(steps, server=workers, waves=(*even, *uneven)))
    assert (said.binding.name, said.slots.value) == ("slots", 16)


def test_threads_of_a_server_without_an_event_loop_are_counted_whole() -> None:
    """One of two threads before the load was of its pool: nine are a main thread and eight."""
    steps = tuple(replace(each, taken=14) for each in held(16, 14, threads=9))
    said = conclude(seen(steps, server=server(processes=2, threads=2)))
    assert (said.binding.name, said.slots.value) == ("slots", 16)
