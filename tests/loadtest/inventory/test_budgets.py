"""Budgets: what they say, and which ones are refused before anything starts."""

from __future__ import annotations

import inspect
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import psycopg_pool
import pytest

from loadtest.inventory import budgets, manifest
from loadtest.inventory.budgets import BudgetError
from loadtest.inventory.manifest import COMPOSE_FILE, Service
from loadtest.system.paths import ROOT

BUDGET = re.compile(
    r"\$\{((?:\w+_)?(?:WORKERS|THREADS|THREAD_LIMIT|POOL_SIZE|PROCESSES)|SERVICE_(?:CPUS|MEMORY)|POSTGRES_MAX_CONNECTIONS):-([^}]*)\}"
)
ALLOWED = 600
PROFILES = sorted({name for each in manifest.load(variables={}).values() for name in each.profiles})
# Its event loop waits with each query: one slot a process, whatever the budget.
CANNOT_SHARE = "fastapi-blocking"


def declared() -> dict[str, str]:
    """The compose file's budget variables with their defaults."""
    found = dict(BUDGET.findall(COMPOSE_FILE.read_text()))
    return {name: value for name, value in found.items() if not name.startswith("LOCUST")}


def of(name: str) -> dict[str, str]:
    path = budgets.BUDGETS / f"{name}.env"
    return budgets.parse(path.read_text(), path)


def service(name: str = "a", *, model: str = "async", **environment: str) -> Service:
    return Service(
        name=name,
        framework="x",
        model=model,
        command=("x",),
        environment=environment,
        folder=Path(),
        port=1,
        metrics_port=2,
    )


def test_typical_is_what_compose_has_by_default() -> None:
    """A service that somebody has added need not be in it."""
    assert of("typical").items() <= declared().items()


@pytest.mark.parametrize("name", budgets.names())
def test_each_budget_sets_every_variable_and_no_other(name: str) -> None:
    assert of(name).keys() == of("typical").keys()


def test_driver_defaults_are_what_the_drivers_open_by_themselves() -> None:
    """Of the drivers in Python; each service counts with the driver that it uses."""
    found = {name: int(size) for name, size in of("driver-defaults").items() if "POOL_SIZE" in name}
    evented = inspect.signature(asyncpg.create_pool).parameters["max_size"].default
    threaded = inspect.signature(psycopg_pool.ConnectionPool).parameters
    assert threaded["max_size"].default is None  # as many as the least
    assert {found["FASTAPI_ASYNC_POOL_SIZE"], found["STARLETTE_POOL_SIZE"]} == {evented}
    python = [size for name, size in found.items() if name.startswith(("FLASK", "DJANGO"))]
    assert set(python) == {threaded["min_size"].default}


def test_driver_defaults_change_pools_alone() -> None:
    ours, theirs = of("typical"), of("driver-defaults")
    assert all("POOL_SIZE" in name for name in ours if ours[name] != theirs[name])


@pytest.mark.parametrize("old", budgets.RENAMED)
def test_an_old_name_is_answered_with_the_new_one(old: str) -> None:
    told = f"budget '{old}' is called 'typical' now"
    with pytest.raises(BudgetError, match=f"^{told}$"):
        budgets.variables(old)
    done = subprocess.run(
        ["setup/options", "--budget", old], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, f"compare: {told}\n")


def test_equal_slots_are_equal() -> None:
    budget = of("equal-slots")
    services = manifest.load(variables=budget)
    demands = {
        name: budgets.Demand.of(each)
        for name, each in services.items()
        if f"{name.upper().replace('-', '_')}_WORKERS" in budget
    }
    assert len(demands) >= 13
    assert {each.slots for name, each in demands.items() if name != CANNOT_SHARE} == {32}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", budgets.names())
def test_every_budget_holds_with_all_services_that_compose_starts_together(
    name: str, profile: str
) -> None:
    """`docker compose --profile all up`, or with another profile."""
    variables = of(name)
    services = manifest.load(variables=variables).values()
    together = [each for each in services if each.central or profile in each.profiles]
    budgets.check(together, budgets.max_connections(variables))


def test_too_many_connections_are_refused_with_what_to_do() -> None:
    services = [
        service("big", WORKERS="10", POOL_SIZE="50"),
        service("small", WORKERS="1", POOL_SIZE="81"),
    ]
    with pytest.raises(BudgetError, match=r"581 connections .*big.*allows 600.*MAX_CONNECTIONS"):
        budgets.check(services, ALLOWED)


def test_the_margin_is_kept_to_the_last_connection() -> None:
    services = [service(POOL_SIZE=str(ALLOWED - budgets.SPARE_CONNECTIONS))]
    budgets.check(services, ALLOWED)
    with pytest.raises(BudgetError):
        budgets.check(services, ALLOWED - 1)


@pytest.mark.parametrize(("limit", "slots"), [("10", 10), ("40", 40), ("100", 40)])
def test_threads_that_requests_share_are_slots_up_to_the_pool(limit: str, slots: int) -> None:
    shared = service(model="threads", THREAD_LIMIT="1", POOL_SIZE="40")
    budgets.check([shared], ALLOWED)
    assert budgets.Demand.of(shared).slots == 1
    assert budgets.Demand.of(shared).under({"THREAD_LIMIT": limit}).slots == slots
    assert budgets.Demand.of(service(POOL_SIZE="40")).under({"THREAD_LIMIT": limit}).slots == 40


def test_threads_without_connections_are_no_slots() -> None:
    with pytest.raises(BudgetError, match="service a: 8 threads share a pool of 4"):
        budgets.check([service(model="threads", THREADS="8", POOL_SIZE="4")], ALLOWED)


def test_greenlets_may_outnumber_connections() -> None:
    budgets.check([service(model="greenlets", THREADS="1000", POOL_SIZE="4")], ALLOWED)


@pytest.mark.parametrize("text", ["0", "-1", "many", "", "1.5", "²"])
def test_a_number_that_is_none_names_service_and_variable(text: str) -> None:
    with pytest.raises(BudgetError, match="service a: POOL_SIZE is"):
        budgets.check([service(POOL_SIZE=text)], ALLOWED)


def test_an_unknown_budget_lists_what_there_is() -> None:
    with pytest.raises(BudgetError, match=r"'huge'.*driver-defaults, equal-slots, typical"):
        budgets.variables("huge")


def test_a_line_that_is_no_assignment_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text("A=1\n# fine\n\nB\n")
    with pytest.raises(BudgetError, match=r"x\.env: line 4 is not NAME=value: B"):
        budgets.variables("x", tmp_path)


def test_max_connections_follow_the_variable() -> None:
    assert budgets.max_connections({}) == ALLOWED
    assert budgets.max_connections({"POSTGRES_MAX_CONNECTIONS": "7"}) == 7
    with pytest.raises(BudgetError, match="POSTGRES_MAX_CONNECTIONS is 'lots'"):
        budgets.max_connections({"POSTGRES_MAX_CONNECTIONS": "lots"})


def test_the_environment_wins_over_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GO_POOL_SIZE", "5")
    found: Mapping[str, str] = budgets.variables("typical")
    assert (found["GO_POOL_SIZE"], found["NODE_POOL_SIZE"]) == ("5", "40")
