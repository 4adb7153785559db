"""What binds where a slow or busy machine makes rates scatter: the right name, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.probe import growth
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.record import Sighting, Step, Wave
from loadtest.probe.slots import slots
from tests.loadtest.probe import sightings
from tests.loadtest.probe.sightings import GLANCE, ramp, read_all, seen, server, step, waves

UVICORN = server(program="uvicorn", loop=True)
AT_ONCE = (1, 4, 16, 64)


def computing(
    rates: Sequence[float], cpu_s: float, processes: int = 2, others: float = 0.1, idle: float = 0.1
) -> Sighting:
    """A service that only computes; its rates are those of a machine that others disturb."""
    steps = tuple(
        replace(
            step(connections, rps * cpu_s, cpu_s),
            workers=tuple(rps * cpu_s / processes for _ in range(processes)),
            others=others,
            idle=idle,
            least_s=cpu_s,
        )
        for connections, rps in zip(AT_ONCE, rates, strict=True)
    )
    return seen(steps, server=replace(UVICORN, processes=processes), limit=64)


def test_cpu_that_is_used_up_binds_though_the_rate_still_grew() -> None:
    """Two connections fell to one of two processes, and then 64 reached both."""
    first, second, _, last = computing((285, 290, 300, 540), 0.0033).steps
    what = computing((285, 290, 300, 540), 0.0033)
    said = conclude(replace(what, steps=(first, replace(second, connections=2), last)))
    assert (said.binding.name, said.plateau_rps) == ("cpu", 540)
    assert said.slots.at_least
    assert "CPU" in said.sentences[1]


@pytest.mark.parametrize("rates", [(285, 300, 340, 540), (285, 500, 400, 540), (90, 300, 180, 540)])
def test_cpu_binds_what_computes_whatever_the_order_of_rates(rates: tuple[float, ...]) -> None:
    assert conclude(computing(rates, 0.0033)).binding.name == "cpu"


@given(
    st.lists(st.floats(0.6, 1.0), min_size=4, max_size=4),
    st.sampled_from((1, 2)),
    st.floats(0.004, 0.05),
)
def test_what_only_computes_is_bound_by_cpu_however_its_rates_scatter(
    shares: list[float], processes: int, cpu_s: float
) -> None:
    """Others take what the service does not get."""
    cores = [min(processes, connections) for connections in AT_ONCE]
    rates = [share * count / cpu_s for share, count in zip(shares, cores, strict=True)]
    what = computing(rates, cpu_s, processes, others=1.2, idle=0.02)
    assert conclude(what).binding.name == "cpu"


def test_one_full_process_of_several_does_not_bind_while_the_rate_grows() -> None:
    """Both connections fell to the same process."""
    first, second = ramp(2, 0.01, 2, cpu_s=0.0098)
    one_full = replace(second, rps=120.0, workers=(0.98, 0.2), idle=0.7)
    what = seen((first, one_full), server=replace(UVICORN, processes=2), limit=64)
    assert conclude(what).binding.name == "nothing yet"


@given(st.lists(st.floats(0.75, 1.0), min_size=4, max_size=4), st.floats(0.0, 0.95))
def test_what_only_waits_has_no_limit_yet_however_late_its_answers_are(
    shares: list[float], used: float
) -> None:
    """Nor is a server that computes much said to be bound by it, where no request waits for it."""
    steps = tuple(
        replace(step(each, share * each, 0.2), workers=(used * share * each / 64,), error=0.2)
        for each, share in zip(AT_ONCE, shares, strict=True)
    )
    said = conclude(seen(read_all(steps), server=UVICORN, limit=64))
    assert (said.binding.name, said.slots.at_least) == ("nothing yet", True)


def test_a_server_that_waits_for_a_core_alone_has_no_pool() -> None:
    steps = sightings.crowded(read_all(ramp(30, 0.2, 64)), used=0.3, ready=0.97)
    said = conclude(seen(steps, server=UVICORN, limit=64))
    assert (said.binding.name, said.slots.at_least) == ("nothing yet", True)
    assert "other programs took 1.50 of 2 cores" in said.sentences[1]
    assert "while nothing else runs" in said.advice[0]


def test_what_computes_and_waits_for_a_core_alone_is_bound_by_cpu() -> None:
    """However little it got, and however late the others made a request alone."""
    alone, *more = ramp(1, 0.0084, 64, cpu_s=0.0032, others=1.7)
    late = replace(alone, least_s=0.0062)
    slow = sightings.crowded(tuple(replace(each, rps=92) for each in more), used=0.25, ready=1.0)
    assert conclude(seen((late, *slow), server=UVICORN)).binding.name == "cpu"


def test_cpu_binds_where_all_connections_fell_to_one_of_two_processes() -> None:
    first, *_, last = ramp(1, 0.0113, 64)
    steps = (
        replace(first, rps=83, least_s=0.009, others=1.67, idle=0.02, workers=(0.26, 0.0)),
        replace(
            last, connections=64, rps=91, others=1.6, idle=0.02, workers=(0.29, 0.0), ready=1.0
        ),
    )
    what = seen(steps, server=replace(UVICORN, processes=2), limit=64)
    assert conclude(what).binding.name == "cpu"
    asleep = tuple(replace(each, ready=0.3) for each in steps)
    said = conclude(replace(what, steps=asleep))
    assert "all requests fell to one of 2 processes" in said.sentences[1]
    assert "a lock" in said.binding.could_be


def test_waves_show_a_pool_on_such_a_machine_too() -> None:
    steps = sightings.crowded(read_all(ramp(15, 0.1, 64)), used=0.45)
    said = conclude(seen(steps, server=UVICORN, waves=waves(15, 0.1, 32)))
    assert (said.binding.name, said.slots.value) == ("pool or upstream", 15)


def test_a_pool_whose_server_waits_for_more_than_a_core_keeps_its_name_with_a_doubt() -> None:
    steps = sightings.crowded(read_all(ramp(15, 0.1, 64)), used=0.15)
    said = conclude(seen(steps, server=UVICORN))
    assert said.binding.name == "pool or upstream"
    assert "other programs, which took 1.50 of 2 cores" in said.binding.could_be


def test_more_requests_that_end_together_than_the_rate_allows_are_no_slots() -> None:
    what = seen(read_all(ramp(20, 0.1, 64)), server=UVICORN, waves=waves(64, 0.1, 42), limit=64)
    said = conclude(what)
    assert (said.binding.name, said.slots.value, said.slots.at_least) == ("nothing yet", 42, True)
    assert "a limit of the rate" in said.sentences[1]
    busy = replace(what, steps=sightings.crowded(what.steps, used=0.2))
    assert "other programs took 1.50 of 2 cores" in conclude(busy).sentences[1]


def test_the_quickest_request_tells_what_one_costs_where_others_hold_it_up() -> None:
    alone, *more = ramp(1, 0.004, 64, cpu_s=0.0035, others=1.4)
    late = replace(alone, mean_s=0.02, p50_s=0.012, least_s=0.0041)
    slow = tuple(replace(each, rps=140, workers=(0.49,), idle=0.02) for each in more)
    assert conclude(seen((late, *slow), server=UVICORN)).binding.name == "cpu"


@pytest.mark.parametrize("error", [0.08, 0.2])
def test_growth_within_chance_is_none_where_requests_wait(error: float) -> None:
    *before, last = sightings.full(4, limit=8)
    noisy = [replace(each, error=error) for each in before]
    higher = replace(last, rps=1.15 * last.rps, error=error)
    found = slots(seen((*noisy, higher), waves=waves(4, 0.1, 14), limit=8))
    assert (found.value, found.at_least) == (4, False)


def test_a_plateau_whose_steps_differ_has_a_wide_interval() -> None:
    steps = [step(1, 1, 0.2), step(4, 4, 0.2), step(16, 14, 0.2), step(64, 10, 0.2)]
    found = slots(seen(steps))
    assert found.low < 10
    assert found.high > 14
    rising = [*steps[:2], step(64, 37, 0.2), step(256, 52, 0.2)]
    assert slots(seen(rising)).low <= 40


def test_growth_ended_between_a_step_without_a_queue_and_one_with_a_long_one() -> None:
    steps = [step(1, 1, 0.2), step(4, 3.9, 0.2), step(16, 13.5, 0.2), step(64, 21, 0.2)]
    found = slots(seen(steps))
    assert (found.value, found.at_least) == (21, False)


def test_a_wave_whose_two_groups_ran_together_adds_no_slots() -> None:
    late = Wave(tuple(sorted([*(0.1 + 0.001 * each for each in range(30)), 0.22, 0.221])))
    steps = read_all(ramp(15, 0.1, 64))
    assert slots(seen(steps, waves=(late, late, late))).value == 15
    short = read_all(ramp(15, 0.1, 16))
    found = slots(seen(short, waves=(late,), limit=64))
    assert (found.at_least, found.value) == (True, 15)


def test_growth_beyond_chance_is_growth() -> None:
    *before, last = sightings.full(4, limit=8)
    assert growth.plateau((*before, replace(last, rps=1.15 * last.rps))) is None


def test_growth_within_chance_stays_growth_where_no_request_waits() -> None:
    steps = [replace(step(each, each * 0.8, 0.2), error=0.3) for each in AT_ONCE]
    assert growth.plateau(steps) is None


def stepped_over(last: float) -> list[Step]:
    """Two connections fell to one of two processes, so that growth seemed to have ended."""
    return [step(1, 1, 0.004), step(2, 1.02, 0.004), step(64, last, 0.004)]


def test_a_rate_that_stopped_too_early_is_asked_for_between() -> None:
    assert growth.plateau(stepped_over(1.0)[:2]) is not None
    assert growth.gap(stepped_over(2.0)) == 11
    between = [*stepped_over(2.0), step(11, 2, 0.004)]
    assert growth.gap(between) is None
    assert slots(seen(between)).value == 2


def test_nothing_lies_between_where_growth_ended_or_no_request_waits() -> None:
    assert growth.gap(stepped_over(1.0)) is None
    assert growth.gap([step(1, 1, 0.2), step(64, 64, 0.2)]) is None
    assert growth.gap([step(1, 1, 0.2)]) is None


def test_answers_in_groups_are_no_scatter() -> None:
    moments = sightings.ended(16, 0.05, 64, 2.0)
    assert growth.scatter(moments, 0.0, 2.0, 0.05) < 0.01


def test_a_rate_that_breaks_in_is_scatter() -> None:
    quick = [0.01 * number for number in range(100)]
    slow = [1 + 0.04 * number for number in range(25)]
    assert growth.scatter(quick + slow, 0.0, 2.0, 0.01) > 0.1


def test_a_step_of_a_few_waits_tells_no_scatter() -> None:
    assert growth.scatter([0.1, 0.2, 0.3, 0.4], 0.0, 0.5, 0.1) == 0.0


def test_a_quick_service_without_kept_connections_that_fills_its_core_is_bound_by_cpu() -> None:
    """As http.server: a rate that scatters upwards at the last step changes nothing."""
    steps = ramp(1, 0.0025, 64, cpu_s=0.0022, idle=0.05, others=0.8, least_s=0.0024)
    higher = replace(steps[-1], connections=64, rps=1.3 * steps[-1].rps, workers=(0.97,))
    glance = replace(GLANCE, kept=False)
    said = conclude(seen((*steps[:2], higher), server=server(), glance=glance, limit=64))
    assert said.binding.name == "cpu"
