"""Schedules: every round complete, in an order that the seed alone decides."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.inventory import manifest
from loadtest.plan import reader, schedule
from loadtest.plan.mistakes import ExperimentError
from tests.synthetic import experiment

ARMS = {"fastapi-async", "fastapi-async#2", "flask-sync", "flask-gthread"}


@given(seed=st.integers(), rounds=st.integers(2, 15))
def test_each_round_has_every_arm_once_at_every_level(seed: int, rounds: int) -> None:
    one = experiment(rounds=rounds)
    trials = schedule.schedule([one], seed)
    cells = Counter((trial.round, trial.level.label, trial.arm) for trial in trials)
    assert set(cells.values()) == {1}
    assert len(cells) == rounds * len(one.levels) * len(ARMS)
    assert {trial.arm for trial in trials} == ARMS


def test_the_arms_of_a_level_stand_next_to_each_other() -> None:
    trials = schedule.schedule([experiment()], 3)
    for start in range(0, len(trials), len(ARMS)):
        block = trials[start : start + len(ARMS)]
        assert {trial.arm for trial in block} == ARMS
        assert len({(trial.round, trial.level.label) for trial in block}) == 1


def test_the_same_seed_gives_the_same_schedule_whatever_else_is_planned() -> None:
    one, other = experiment(), reader.load_all()["pool-size"]
    alone = schedule.schedule([one], 11)
    after = schedule.schedule([other, one], 11)[-len(alone) :]
    assert [(t.arm, t.level.label, t.round) for t in alone] == [
        (t.arm, t.level.label, t.round) for t in after
    ]
    assert schedule.schedule([one], 11) == alone
    assert schedule.schedule([one], 12) != alone


def test_every_arm_comes_first_about_as_often() -> None:
    trials = schedule.schedule([experiment(rounds=400)], 5)
    first = Counter(trial.arm for trial in trials[:: len(ARMS)])
    assert all(300 < count < 500 for count in first.values())


def test_a_level_leaves_out_the_services_that_cannot_take_it() -> None:
    levels = [{"connections": 1}, {"connections": 8, "without": ["flask-sync"]}]
    trials = schedule.schedule([experiment(levels=levels, criteria=[])], 1)
    at = {n: {t.arm for t in trials if t.level.load.connections == n} for n in (1, 8)}
    assert at == {1: ARMS, 8: ARMS - {"flask-sync"}}
    assert [trial.index for trial in trials] == list(range(len(trials)))


def test_indices_count_through_the_whole_plan() -> None:
    trials = schedule.schedule([experiment(), reader.load_all()["pool-size"]], 1)
    assert [trial.index for trial in trials] == list(range(len(trials)))


def test_the_quick_plan_takes_at_most_ten_minutes() -> None:
    shipped = reader.load_all(services=manifest.load())
    quick = schedule.plan(shipped, "quick")
    assert {each.rounds for each in quick} == {6}
    assert schedule.estimate_s(schedule.schedule(quick, 1)) < 600


def test_the_full_plan_has_every_experiment() -> None:
    shipped = reader.load_all()
    assert [each.name for each in schedule.plan(shipped, "full")] == list(shipped)
    assert {each.rounds for each in schedule.plan(shipped, "full", rounds=3)} == {3}


def test_too_few_rounds_are_refused() -> None:
    with pytest.raises(ExperimentError, match=r"1 round\(s\) give no interval; ask for at least 2"):
        schedule.plan({"one": experiment()}, "full", rounds=1)


def test_a_service_that_cannot_run_here_is_left_out() -> None:
    kept = schedule.narrow(experiment(), ["flask-gthread", "fastapi-async", "go"])
    assert kept.services == ("fastapi-async", "flask-gthread")


def test_without_its_reference_service_an_experiment_is_refused() -> None:
    with pytest.raises(ExperimentError, match="its reference service fastapi-async is missing"):
        schedule.narrow(experiment(), ["flask-sync"])


def test_without_any_service_an_experiment_is_refused() -> None:
    with pytest.raises(
        ExperimentError, match=r"none of its services \(.*\) can run here; here are: go"
    ):
        schedule.narrow(experiment(), ["go"])
