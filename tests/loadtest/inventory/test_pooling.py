"""Whether services are behind a pooler, and with how many connections."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.inventory import manifest, pooling, room
from loadtest.inventory.budgets import BudgetError
from loadtest.inventory.manifest import COMPOSE_FILE, read_compose
from loadtest.plan import reader
from loadtest.system.paths import ROOT

POOL_SIZE = reader.load_all()["pool-size"]
SOME = manifest.choose(manifest.load(variables={}), ["fastapi-async", "flask-gthread"])
START = (ROOT / "services/pgbouncer/start").read_text()


@pytest.fixture(autouse=True)
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POOLER", "POOLER_SIZE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "size"),
    [
        ({}, 0),
        ({"POOLER": ""}, 0),
        ({"POOLER_SIZE": "20"}, 0),
        ({"POOLER": "pgbouncer"}, 40),
        ({"POOLER": "pgbouncer", "POOLER_SIZE": ""}, 40),
        ({"POOLER": "pgbouncer", "POOLER_SIZE": "20"}, 20),
    ],
)
def test_variables_say_whether_there_is_one(variables: dict[str, str], size: int) -> None:
    assert pooling.usual(variables) == size


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"POOLER": "pgpool"}, "POOLER is 'pgpool'; there is: pgbouncer"),
        (
            {"POOLER": "pgbouncer", "POOLER_SIZE": "lots"},
            "POOLER_SIZE is 'lots'; set it to",
        ),
        ({"POOLER": "pgbouncer", "POOLER_SIZE": "201"}, "a whole number from 1 to 200"),
        ({"POOLER": "pgbouncer", "POOLER_SIZE": "0"}, "POOLER_SIZE is '0'"),
    ],
)
def test_what_is_no_pooler_is_told(variables: dict[str, str], told: str) -> None:
    with pytest.raises(BudgetError, match=re.escape(told)):
        pooling.usual(variables)


def test_a_level_comes_before_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pooling.size({}) == 0
    assert pooling.size({"POOLER_SIZE": "16"}) == 16
    monkeypatch.setenv("POOLER", "pgbouncer")
    assert pooling.size({}) == 40
    assert pooling.size({"POOLER_SIZE": "0"}) == 0
    with pytest.raises(BudgetError, match=r"^mine: POOLER_SIZE is '-1'"):
        pooling.size({"POOLER_SIZE": "-1"}, "mine")


def test_a_service_has_a_pool_of_its_own_or_one_of_the_levels_size() -> None:
    assert pooling.database("flask-sync", {}) == "flask-sync"
    assert pooling.database("flask-sync", {"POOLER_SIZE": "16"}) == "16"


def test_the_script_has_the_same_numbers() -> None:
    assert f"-le {pooling.LARGEST} ]" in START
    assert f"max_client_conn = {pooling.CLIENTS}\n" in START
    assert f"POOLER_SIZE:-{pooling.USUAL_SIZE}}}" in START
    assert not [name for name in manifest.load(variables={}) if name.isdigit()]


def test_compose_asks_for_the_pooler_where_the_variable_says_so() -> None:
    for variables, host in (({}, "postgres"), ({"POOLER": "pgbouncer"}, "pgbouncer")):
        services = read_compose(COMPOSE_FILE, variables)["services"]
        addresses = {services[name]["environment"]["DATABASE_URL"] for name in SOME}
        assert addresses == {f"postgresql://lab@{host}:5432/lab"}
        assert host in services
    assert services["pgbouncer"]["profiles"] == ["pooler"]


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 200))
def test_postgres_sees_what_the_pooler_lets_through(direct: int, pool: int, size: int) -> None:
    """Connections that the pooler has opened stay beside those of the next level."""
    levels = (
        replace(POOL_SIZE.levels[0], environment={"POOL_SIZE": str(direct), "POOLER_SIZE": "0"}),
        replace(
            POOL_SIZE.levels[1], environment={"POOL_SIZE": str(pool), "POOLER_SIZE": str(size)}
        ),
    )
    asked = replace(POOL_SIZE, services=("fastapi-async",), levels=levels)
    assert room.asked(asked, SOME) == {"fastapi-async": max(40, direct) + min(pool, size)}


def test_a_pooler_makes_room_on_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = replace(
        POOL_SIZE,
        levels=(replace(POOL_SIZE.levels[0], environment={"WORKERS": "1", "POOL_SIZE": "1000"}),),
    )
    with pytest.raises(BudgetError, match="2,000 connections"):
        room.check(wide, SOME, 600)
    monkeypatch.setenv("POOLER", "pgbouncer")
    assert room.asked(wide, SOME) == {"fastapi-async": 40, "flask-gthread": 40}
    room.check(wide, SOME, 100)
    with pytest.raises(BudgetError, match="80 connections"):
        room.check(wide, SOME, 99)
    wider = replace(wide, levels=(replace(wide.levels[0], environment={"POOL_SIZE": "2000"}),))
    with pytest.raises(BudgetError, match=r"8,000 connections to the pooler, which accepts 5,000"):
        room.check(wider, SOME, 600)


@pytest.mark.parametrize(("before", "told"), [(0, "without a pooler"), (40, "POOLER_SIZE=40 make")])
def test_a_run_goes_on_as_it_began(monkeypatch: pytest.MonkeyPatch, before: int, told: str) -> None:
    monkeypatch.setenv("POOLER", "pgbouncer")
    monkeypatch.setenv("POOLER_SIZE", "20")
    with pytest.raises(BudgetError, match=told):
        pooling.require_same(before)
    pooling.require_same(20)
    assert pooling.words() == "POOLER=pgbouncer POOLER_SIZE=20 "
