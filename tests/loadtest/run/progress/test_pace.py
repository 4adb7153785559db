"""How long the rest takes."""

from __future__ import annotations

import pytest

from loadtest.plan.reader import load_all
from loadtest.plan.schedule import PlannedTrial, schedule
from loadtest.run.progress.pace import Pace, minutes

PLANNED = schedule([load_all()["blocked-threads"]], seed=1)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def run(pace: Pace, clock: Clock, trials: list[PlannedTrial], factor: float) -> None:
    """Each takes `factor` times as long as planned, with as long again between two."""
    for each in trials:
        pace.begin()
        clock.now += factor * each.seconds
        pace.end(each)
        clock.now += 100


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_rest_takes_as_long_as_its_plan_at_the_pace_so_far(factor: float) -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.expected = PLANNED
    half = len(PLANNED) // 2
    run(pace, clock, PLANNED[:half], factor)
    rest = factor * sum(each.seconds for each in PLANNED[half:])
    assert pace.left_s == pytest.approx(rest, rel=0.15)
    assert pace.done == half


def test_before_the_first_trial_the_plan_counts_and_at_the_end_nothing_is_left() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.expected = PLANNED
    assert pace.left_s >= sum(each.seconds for each in PLANNED)
    run(pace, clock, PLANNED, 2.0)
    assert pace.left_s == 0.0


def test_trials_of_an_earlier_part_cost_no_time_and_what_is_decided_is_not_waited_for() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.expected = PLANNED
    for each in PLANNED[:10]:
        pace.end(each)
    clock.now = 1000.0
    run(pace, clock, PLANNED[10:20], 1.0)
    pace.expected = PLANNED[:21]
    assert pace.left_s == pytest.approx(PLANNED[20].seconds)


@pytest.mark.parametrize(
    ("seconds", "told"), [(3, "3 seconds"), (89, "89 seconds"), (600, "10 minutes")]
)
def test_minutes(seconds: float, told: str) -> None:
    assert minutes(seconds) == told
