"""Workers, threads and pools: what is promised of them holds for any need."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.stats.queueing import waiting_share
from loadtest.stats.sizing import (
    ImpossibleError,
    Need,
    Sizes,
    SizingError,
    left_for_services,
    sizes,
)

EXAMPLE = Need(rate=200, wait_s=0.080, cpu_s=0.003, cores=2)
PLENTY = 100_000
NEEDS = st.builds(
    Need,
    rate=st.floats(0.1, 5_000),
    wait_s=st.floats(0.001, 1),
    cpu_s=st.floats(0, 0.05),
    cores=st.sampled_from([0.5, 1, 2, 8, 64]),
    max_connections=st.sampled_from([20, 100, PLENTY]),
    may_wait=st.floats(0.0001, 0.5),
    cpu_limit=st.floats(0.1, 1),
)


def possible(need: Need) -> Sizes | None:
    try:
        return sizes(need)
    except ImpossibleError:
        return None


def test_the_example() -> None:
    found = sizes(EXAMPLE)
    assert (found.shared.workers, found.shared.pool) == (1, found.shared.slots)
    assert found.shared.slots == found.processes.workers
    assert found.shared.slots > EXAMPLE.in_hand == pytest.approx(16.6)
    assert EXAMPLE.most_rps == pytest.approx(667, abs=1)


@given(NEEDS)
def test_slots_cores_and_connections_suffice(need: Need) -> None:
    found = possible(need)
    if found is None:
        return
    shared = found.shared
    assert shared.workers * shared.slots >= need.rate * need.wait_s
    assert waiting_share(need.in_hand / shared.workers, shared.slots) <= need.may_wait
    assert shared.workers * need.cpu_limit >= need.busy_cores - 1e-6
    assert shared.workers <= math.ceil(need.cores)
    assert shared.connections <= left_for_services(need)
    assert found.processes.workers >= shared.workers


@given(NEEDS)
def test_one_worker_less_would_be_too_full(need: Need) -> None:
    found = possible(need)
    if found is not None and found.shared.workers > 1:
        assert (found.shared.workers - 1) * need.cpu_limit < need.busy_cores


@given(NEEDS, st.floats(1, 3))
def test_what_is_possible_for_more_is_possible_for_less(need: Need, times: float) -> None:
    more = dataclasses.replace(need, rate=need.rate * times, max_connections=PLENTY)
    less = dataclasses.replace(need, max_connections=PLENTY)
    if (big := possible(more)) is not None:
        small = possible(less)
        assert small is not None
        assert small.shared.workers <= big.shared.workers
        assert small.processes.workers <= big.processes.workers


@given(NEEDS)
def test_only_cpu_or_connections_make_it_impossible(need: Need) -> None:
    try:
        sizes(need)
    except ImpossibleError as error:
        said = str(error)
    else:
        return
    assert len(said.splitlines()) == 1
    short = "cores busy" if need.busy_cores > need.cores * need.cpu_limit else "connections"
    assert short in said


@given(NEEDS)
def test_the_rate_that_is_advised_instead_fits_the_cores(need: Need) -> None:
    if 0.1 < need.planned_rps < need.rate:
        with pytest.raises(ImpossibleError):
            sizes(need)
        advised = dataclasses.replace(need, rate=need.planned_rps, max_connections=PLENTY)
        assert sizes(advised).shared.workers <= math.ceil(need.cores)


@given(NEEDS, st.floats(0, 1))
def test_a_connection_that_is_held_for_less_makes_the_pool_smaller(
    need: Need, share: float
) -> None:
    need = dataclasses.replace(need, max_connections=PLENTY)
    held = dataclasses.replace(need, database_s=share * need.held_s)
    whole, part = possible(need), possible(held)
    if whole and part:
        assert part.shared.slots == whole.shared.slots
        assert part.shared.pool <= whole.shared.pool
        assert (part.shared.pool == 0) == (held.database_s == 0)


def test_where_nothing_waits_more_slots_are_not_advised() -> None:
    found = sizes(Need(rate=100, wait_s=0, cpu_s=0.01, cores=2))
    assert (found.shared.workers, found.shared.slots) == (2, 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"cpu_s": 0.008}, ["1.6 cores", "175 requests/s", "3 cores"]),
        ({"max_connections": 20}, ["17 for services", "--max-connections"]),
    ],
)
def test_what_is_short_is_told_with_what_would_do(
    change: dict[str, float], told: list[str]
) -> None:
    with pytest.raises(ImpossibleError) as refused:
        sizes(dataclasses.replace(EXAMPLE, **change))  # type: ignore[arg-type]
    for text in told:
        assert text in str(refused.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rate": 0}, "--rate is 0: give 0.001 to"),
        ({"rate": -3}, "--rate is -3"),
        ({"rate": math.nan}, "--rate is nan"),
        ({"rate": math.inf}, "--rate is inf"),
        ({"wait_s": -0.001}, "--wait-ms is -1: give 0 to"),
        ({"cpu_s": math.inf}, "--cpu-ms is inf"),
        ({"cores": 0}, "--cores is 0"),
        ({"database_s": 0.1}, "--database-ms is more than"),
        ({"database_s": -0.1}, "--database-ms is -100"),
        ({"max_connections": 3}, "--max-connections is 3: give 4 to"),
        ({"may_wait": 0}, "--may-wait is 0"),
        ({"may_wait": 1}, "--may-wait is 100"),
        ({"cpu_limit": 1.5}, "--cpu-limit is 150"),
        ({"wait_s": 0, "cpu_s": 0}, "both 0"),
        ({"rate": 5_000, "wait_s": 80.0}, "is a unit wrong?"),
    ],
)
def test_a_bad_number_is_one_line_with_its_option(change: dict[str, float], told: str) -> None:
    with pytest.raises(SizingError) as refused:
        sizes(dataclasses.replace(EXAMPLE, **change))  # type: ignore[arg-type]
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
