"""What is advised fits what was seen, and is nothing that a probe refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtest.probe import limits, record
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.record import Server, Sighting, Step
from tests.loadtest.probe.sightings import GLANCE, full, ramp, seen, server, step

UVICORN = server(program="uvicorn", loop=True)
GROWING = ramp(10_000, 0.2, 4)
MOST = limits.MOST_CONNECTIONS


def growing(**known: object) -> Sighting:
    """A probe that ended while the rate still grew."""
    return replace(seen(GROWING, server=UVICORN), **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("had", "wanted"), [(1, 4), (64, 256), (2_500, MOST), (4_000, MOST), (MOST - 1, MOST)]
)
def test_more_connections_are_asked_for_as_far_as_a_probe_takes_them(had: int, wanted: int) -> None:
    assert conclude(asked(had)).advice == (f"Ask for more: --connections {wanted}.",)


def test_no_more_connections_are_asked_for_than_a_probe_takes() -> None:
    assert conclude(asked(MOST)).advice == ()


def asked(connections: int) -> Sighting:
    steps = [step(each, 10 * MOST, 0.2) for each in sorted({1, connections})]
    return growing(steps=tuple(steps), limit=connections)


@pytest.mark.parametrize(
    ("lasted_s", "wanted"),
    [(6, (60,)), (60, (240,)), (1000, (3600,)), (1799, (3600,)), (2400, ()), (3600, ())],
)
def test_more_time_is_asked_for_as_far_as_a_probe_takes_it(
    lasted_s: float, wanted: tuple[int, ...]
) -> None:
    told = tuple(f"Give it more time: --seconds {each}." for each in wanted)
    assert conclude(growing(lasted_s=lasted_s)).advice == told


@pytest.mark.parametrize("size", [100_000, 50_000_000])
def test_more_time_is_no_help_where_the_requests_are_used_up(size: int) -> None:
    ended = f"{limits.most_requests(size):,} {record.ALL_SENT}"
    said = conclude(growing(glance=replace(GLANCE, size=size), ended=ended, lasted_s=60.0))
    assert said.advice == (
        "So many requests are the most of a probe with answers of this size: probe a smaller one.",
    )
    assert ended in said.sentences[1]


def test_small_answers_are_not_advised_to_be_smaller() -> None:
    assert conclude(growing(ended=f"100,000 {record.ALL_SENT}")).advice == ()


def test_a_probe_that_was_stopped_needs_no_more_time_than_it_had() -> None:
    said = conclude(growing(ended="stopped by Ctrl-C", lasted_s=20.0))
    assert said.advice == ("Probe it again: this one ended before it saw a limit.",)


def several(*workers: float) -> tuple[tuple[Step, ...], Server]:
    steps = tuple(replace(each, workers=workers) for each in full(1))
    return steps, server(processes=len(workers))


@pytest.mark.parametrize(
    ("workers", "advice"),
    [
        ((0.02,) * 4, "Hold the lock for less"),
        ((0.2, 0.0, 0.0), "Probe it again: its connections may fall to other processes then."),
    ],
    ids=["a lock that all share", "all requests fell to one"],
)
def test_workers_that_are_there_are_not_advised(workers: tuple[float, ...], advice: str) -> None:
    steps, there = several(*workers)
    found = conclude(seen(steps, server=there)).advice
    assert found[0].startswith(advice)
    assert not any("instead of 1:" in each for each in found)


def test_more_workers_are_advised_where_one_is_there_or_none_is_in_sight() -> None:
    steps, there = several(0.02)
    proxy = replace(there, program="nginx", processes=2, passes_on=True, one_core=False)
    for known in (there, None, proxy):
        advice = conclude(seen(steps, server=known)).advice
        assert any("With 4 workers instead of 1:" in each for each in advice)
