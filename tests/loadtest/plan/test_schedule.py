"""Schedules: every round complete, in an order that the seed alone decides."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.inventory import manifest
from loadtest.model.experiment import Looked
from loadtest.plan import reader, schedule, sequential
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.schedule import PlanName
from loadtest.stats.sequential import FIXED, Stage
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


MINUTES = {"quick": 5, "lesson": 25, "full": 100, "field": 60, "published": 30}
SHIPPED = reader.load_all(services=manifest.load())
PUBLISHED = reader.load_published(services=manifest.load())


@pytest.mark.parametrize("name", get_args(PlanName))
def test_a_plan_takes_no_longer_than_it_may(name: PlanName) -> None:
    known = PUBLISHED if name == "published" else SHIPPED
    trials = schedule.schedule(schedule.plan(known, name), 1)
    assert trials
    assert schedule.estimate_s(schedule.expected(trials, {})) <= 60 * MINUTES[name]


def test_the_short_plans_end_after_eight_rounds_what_is_still_open() -> None:
    for name in ("quick", "lesson"):
        planned = schedule.plan(SHIPPED, name)
        assert {(each.rounds, each.looks) for each in planned} == {(8, (3, 4, 6, 8))}


def test_the_quick_plan_has_four_claims() -> None:
    quick = {each.claim for each in schedule.plan(SHIPPED, "quick")}
    assert quick == {"C1", "C4", "C7", "C8"}


def test_each_experiment_is_in_one_whole_plan_and_whole_there() -> None:
    full, field = schedule.plan(SHIPPED, "full"), schedule.plan(SHIPPED, "field")
    assert sorted(each.name for each in (*full, *field)) == sorted(SHIPPED)
    assert all(reader.by_claim(each.claim) <= ("C", 14) for each in full)
    assert {each.looks for each in full} == {(3, 4, 6, 8, 12)}


def test_rounds_that_are_asked_for_are_a_fixed_number() -> None:
    fixed = schedule.plan(SHIPPED, "full", rounds=4)
    assert {(each.rounds, each.looks) for each in fixed} == {(4, ())}


@pytest.mark.parametrize(
    ("rounds", "looks"), [(1, ()), (2, ()), (3, ()), (5, (3, 4, 5)), (12, (3, 4, 6, 8, 12))]
)
def test_looks_end_with_the_limit_of_an_experiment(rounds: int, looks: tuple[int, ...]) -> None:
    [planned] = schedule.plan({"one": experiment(rounds=rounds)}, "full")
    assert planned.looks == looks


def test_only_levels_that_were_open_go_on() -> None:
    one = schedule.plan({"one": experiment(rounds=12)}, "full")[0]
    trials = schedule.schedule([one], 1)
    assert {t.round for t in schedule.expected(trials, {}) if t.level.label == "8 connections"} == {
        1,
        2,
        3,
    }
    every = dict.fromkeys(("128 connections",), one.services)
    looks = {one.name: [Looked(3, 0.02, every), Looked(4, 0.02, {})]}
    after_one = schedule.wanted(trials, {one.name: looks[one.name][:1]})
    assert {t.level.label for t in after_one if t.round > 3} == {"128 connections"}
    assert {t.round for t in schedule.wanted(trials, looks)} == {1, 2, 3, 4}
    still = {one.name: [Looked(4, 0.02, every)]}
    assert max(t.round for t in schedule.expected(trials, still)) == 6


@pytest.mark.parametrize(
    ("rounds", "stage"),
    [
        (2, Stage((2, 12), 1)),
        (3, Stage((3, 12), 1)),
        (5, Stage((3, 4, 5, 12), 3)),
        (12, Stage((3, 4, 6, 8, 12), 5)),
    ],
)
def test_rounds_between_two_looks_are_a_look_of_their_own(rounds: int, stage: Stage) -> None:
    one = schedule.plan({"one": experiment(rounds=12)}, "full")[0]
    assert sequential.stage(one, {"128 connections"}, rounds) == stage
    assert sequential.stage(one, {"8 connections"}, rounds) == FIXED
    assert sequential.stage(experiment(rounds=12), {"128 connections"}, rounds) == FIXED


@given(st.integers(2, 12), st.integers(0, 14))
def test_every_number_of_rounds_has_a_level_of_its_own(most: int, rounds: int) -> None:
    """Also that of a run that was stopped in its first round."""
    one = replace(experiment(), rounds=most, looks=sequential.looks_within(most))
    found = sequential.stage(one, {"128 connections"}, rounds).level(0.05)
    assert 0 < found <= 0.05


def test_too_few_rounds_are_refused() -> None:
    with pytest.raises(ExperimentError, match="1 round gives no interval; ask for at least 2"):
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


@pytest.mark.parametrize("name", get_args(PlanName))
def test_a_plan_measures_everything_that_its_claims_ask_for(name: PlanName) -> None:
    for each in schedule.plan(PUBLISHED if name == "published" else SHIPPED, name):
        labels = {level.label for level in each.levels}
        for criterion in each.criteria:
            asked = {criterion.service, *([criterion.reference] if criterion.ratio else [])}
            assert asked <= set(each.services), (each.name, criterion.says)
            assert sequential.levels_of(each, criterion) <= labels, (each.name, criterion.says)
            assert criterion.level in {"", *labels}, (each.name, criterion.says)
