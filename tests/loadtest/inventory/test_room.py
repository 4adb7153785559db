"""Services that run together never ask Postgres for more connections than it allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.inventory import budgets, manifest, room
from loadtest.inventory.budgets import SPARE_CONNECTIONS, BudgetError, Demand
from loadtest.inventory.manifest import Service
from loadtest.model.experiment import Experiment, Level
from loadtest.model.load import Load
from loadtest.plan import plans, reader
from loadtest.plan.plans import Options, Plan
from loadtest.plan.schedule import PlanName

KNOWN = reader.load_all() | reader.load_published()
SOME = manifest.choose(manifest.load(variables={}), ["fastapi-async", "flask-sync", "flask-gevent"])


def of(budget: str) -> tuple[dict[str, Service], int]:
    path = budgets.BUDGETS / f"{budget}.env"
    variables = budgets.parse(path.read_text(), path)
    return manifest.load(variables=variables), budgets.max_connections(variables)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("budget", budgets.names())
def test_every_experiment_fits_under_every_budget(budget: str, name: str) -> None:
    services, allowed = of(budget)
    room.check(KNOWN[name], services, allowed)


def moments(plan: Plan, allowed: int) -> Iterator[tuple[Experiment, list[str]]]:
    """Each experiment of a plan with the services that run beside its own."""
    running: list[str] = []
    for experiment in plan.experiments:
        for name in room.in_the_way(experiment, plan.services, running, allowed):
            running.remove(name)
        yield experiment, [name for name in running if name not in experiment.services]
        running += [name for name in experiment.services if name not in running]


def connections(services: Mapping[str, Service], experiment: Experiment, beside: list[str]) -> int:
    asked = sum(room.asked(experiment, services).values())
    return asked + sum(Demand.of(services[name]).connections for name in beside)


@pytest.mark.parametrize("name", get_args(PlanName))
@pytest.mark.parametrize("budget", budgets.names())
def test_at_no_time_of_a_plan_do_services_ask_for_too_many(budget: str, name: str) -> None:
    plan = plans.prepare(Options(seed=1, plan=name, budget=budget))
    assert not [each for each in plan.left_out.values() if "Postgres allows" in each]
    allowed = budgets.allowed(budget)
    for experiment, beside in moments(plan, allowed):
        used = connections(plan.services, experiment, beside)
        assert used + SPARE_CONNECTIONS <= allowed, (experiment.name, beside)


def experiment(*levels: Mapping[str, Mapping[str, str]]) -> Experiment:
    """One of two services, with what each level sets for each of them."""
    made = tuple(
        Level(str(place), 0, Load("closed", 1), "wait", {}, {}, environment_of=level)
        for place, level in enumerate(levels)
    )
    own = ("fastapi-async", "flask-sync")
    return replace(KNOWN["pool-size"], services=own, reference=own[0], levels=made)


def settings_of(name: str) -> st.SearchStrategy[dict[str, dict[str, str]]]:
    numbers = st.integers(1, 200).map(str)
    return st.fixed_dictionaries(
        {name: st.fixed_dictionaries({}, optional={"WORKERS": numbers, "POOL_SIZE": numbers})}
    )


@given(st.lists(settings_of("fastapi-async"), max_size=4), st.integers(21, 2_000))
def test_who_stays_beside_an_experiment_fits_at_each_of_its_levels(
    levels: list[dict[str, dict[str, str]]], allowed: int
) -> None:
    asked = experiment(*levels)
    leaving = room.in_the_way(asked, SOME, list(SOME), allowed)
    assert leaving in ([], ["flask-gevent"])
    staying = [Demand.of(SOME["flask-gevent"]).connections] if not leaving else []
    for level in ({}, *(each["fastapi-async"] for each in levels)):
        pool, workers = (int(level.get(name, n)) for name, n in (("POOL_SIZE", 40), ("WORKERS", 1)))
        used = pool * workers + Demand.of(SOME["flask-sync"]).connections + sum(staying)
        assert not staying or used + SPARE_CONNECTIONS <= allowed


def test_too_many_connections_are_refused_with_the_services_and_what_to_do() -> None:
    asked = experiment({"flask-sync": {"WORKERS": "32", "POOL_SIZE": "60"}})
    with pytest.raises(BudgetError) as raised:
        room.check(asked, SOME, 600)
    assert str(raised.value) == (
        "pool-size: its services may open 1,960 connections at once (flask-sync 1,920, "
        "fastapi-async 40) and 20 are kept for the lab, but Postgres allows 600; choose fewer "
        "services, lower POOL_SIZE or WORKERS in its file or in the budget, or set "
        "POSTGRES_MAX_CONNECTIONS=1980"
    )
    room.check(asked, SOME, 1980)


def test_a_service_counts_only_at_levels_that_it_takes() -> None:
    asked = experiment({"flask-sync": {"WORKERS": "100"}})
    [level] = asked.levels
    without = replace(asked, levels=(replace(level, without=("flask-sync",)),))
    assert room.asked(asked, SOME)["flask-sync"] == 100
    assert room.asked(without, SOME)["flask-sync"] == Demand.of(SOME["flask-sync"]).connections


@pytest.mark.parametrize("text", ["0", "many", "-1", "1.5"])
def test_a_level_with_no_number_is_named(text: str) -> None:
    asked = experiment({"flask-sync": {"POOL_SIZE": text}})
    with pytest.raises(BudgetError, match=rf"^pool-size: 0: POOL_SIZE is '{text}'; set it to"):
        room.check(asked, SOME, 600)
