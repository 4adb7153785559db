"""What was asked for becomes a plan, or one sentence that says why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.backends.pooler import pgbouncer
from loadtest.backends.pooler.pgbouncer import PoolerError
from loadtest.inventory import builds, manifest
from loadtest.inventory.budgets import BudgetError
from loadtest.inventory.manifest import ManifestError
from loadtest.plan import plans, reader
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.plans import Options, PlanError

OWN = """\
claim = "C1"
title = "t"
statement = "s"
confirms = "c"
refutes = "r"
services = ["fastapi-async", "flask-sync"]
reference = "fastapi-async"
rounds = 2
scenario = "json"
levels = [{ connections = 1 }]
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    return str(path)


def shipped(services: Iterable[str]) -> list[str]:
    """Those that an experiment of the lab names; one that somebody has added joins every plan."""
    named = {service for each in reader.load_all().values() for service in each.services}
    return [service for service in services if service in named]


def test_a_file_of_ones_own_is_run_as_it_stands(own: str) -> None:
    plan = plans.prepare(Options(seed=1, experiments=(own,)))
    assert [each.name for each in plan.experiments] == ["own"]
    assert shipped(plan.services) == ["fastapi-async", "flask-sync"]
    assert len(shipped(trial.service for trial in plan.trials)) == 6


def test_services_asked_for_with_an_experiment_join_it(own: str) -> None:
    services = ("fastapi-async", "flask-gevent")
    plan = plans.prepare(Options(seed=1, experiments=(own,), services=services))
    assert plan.experiments[0].services == services


def test_every_service_of_the_lab_is_named_by_an_experiment() -> None:
    asked = [plans.prepare(Options(seed=1, plan=name)) for name in ("full", "field", "published")]
    named = {service for plan in asked for service in plan.services}
    assert named == set(builds.available(manifest.load())[0])


def test_the_same_seed_gives_the_same_order(own: str) -> None:
    def arms(seed: int) -> list[str]:
        return [each.arm for each in plans.prepare(Options(seed=seed, experiments=(own,))).trials]

    assert arms(1) == arms(1)
    assert any(arms(1) != arms(seed) for seed in range(2, 9))


def test_services_without_their_toolchain_are_left_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(builds, "missing", lambda service: "install it" if service.needs else None)
    plan = plans.prepare(Options(seed=1, plan="full"))
    assert plan.left_out["go"] == "install it"
    assert "go" not in plan.services
    with pytest.raises(PlanError, match=r"^service node: install it; service go: install it$"):
        plans.prepare(Options(seed=1, services=("node", "flask-sync", "go")))


def test_a_reason_does_not_say_again_what_stands_before_it() -> None:
    few = plans.prepare(Options(seed=1, services=("fastapi-async", "flask-sync"), plan="full"))
    assert few.left_out["framework-ladder"].startswith("its reference service starlette is missing")
    for name, why in few.left_out.items():
        assert name not in why.partition(":")[0]


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        (Options(1, services=("x",)), ManifestError, "unknown service 'x'"),
        (Options(1, experiments=("x",)), ExperimentError, "unknown experiment 'x'"),
        (Options(1, budget="x"), BudgetError, "unknown budget 'x'"),
        (Options(1, plan="x"), PlanError, "unknown plan 'x'"),
        (Options(1, backend="x"), PlanError, "unknown backend 'x'"),
        (Options(1, rounds=1), ExperimentError, "at least 2"),
        (
            Options(1, experiments=("blocked-threads",), services=("flask-sync",)),
            ExperimentError,
            "reference service fastapi-async is missing",
        ),
    ],
)
def test_what_cannot_be_is_told(options: Options, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told) as raised:
        plans.prepare(options)
    assert "\n" not in str(raised.value)


def test_an_unknown_check_is_told(own: str) -> None:
    path = Path(own)
    without_levels = path.read_text().replace("levels = [{ connections = 1 }]", "")
    path.write_text(without_levels + 'check = "karma"\n')
    with pytest.raises(ExperimentError, match="check 'karma' is none of: openapi"):
        plans.prepare(Options(seed=1, experiments=(own,)))


def test_too_many_database_connections_are_refused_before_the_start(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_ASYNC_POOL_SIZE", "5000")
    with pytest.raises(ExperimentError, match=r"own: its services.*Postgres allows"):
        plans.prepare(Options(seed=1, experiments=(own,)))


def test_the_command_of_a_run_asks_for_the_same() -> None:
    options = Options(seed=3, services=("a", "b"), rounds=2)
    assert options.command == (
        "python -m loadtest run --plan quick --services 'a b' --budget typical --rounds 2 --seed 3"
    )
    assert "backend compose" in replace(options, backend="compose").command


def test_an_experiment_with_a_pooler_is_left_out_where_none_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none() -> str:
        raise PoolerError("PgBouncer is not installed")

    monkeypatch.delenv("POOLER", raising=False)
    monkeypatch.setattr(pgbouncer, "require", none)
    plan = plans.prepare(Options(seed=1, plan="field"))
    assert plan.left_out["pooler"] == "PgBouncer is not installed"
    assert "same-api" in plan.planned
    assert "pooler" in plans.prepare(Options(seed=1, plan="field", backend="compose")).planned
    with pytest.raises(ExperimentError, match=r"^pooler: PgBouncer is not installed$"):
        plans.prepare(Options(seed=1, experiments=("pooler",)))


def test_an_experiment_that_asks_for_too_many_connections_is_left_out_with_the_reason(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_SYNC_POOL_SIZE", "600")
    plan = plans.prepare(Options(seed=1, plan="full"))
    assert "pool-size" in plan.planned
    told = plan.left_out["event-loop-exercise"]
    assert told.startswith("its services may open ")
    assert "(fastapi-sync 600, " in told
    with pytest.raises(ExperimentError, match=r"^event-loop-exercise: its services may open "):
        plans.prepare(Options(seed=1, experiments=("event-loop-exercise", own)))
