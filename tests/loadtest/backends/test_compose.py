from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtest.backends import readiness
from loadtest.backends.base import POSTGRES
from loadtest.backends.compose import SIGHT, ComposeError, Containers
from loadtest.inventory import manifest

SERVICES = manifest.choose(manifest.load(), ["fastapi-async", "flask-sync"])


def test_processes_of_other_containers_are_those_that_the_host_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SIGHT, "host")
    (tmp_path / "processes").write_text(
        "postgres 812\nexperiments 900\nfastapi-async 1011\nflask-sync 1200\n"
    )
    found = Containers(SERVICES, tmp_path).roots()
    assert found == {POSTGRES: 812, "fastapi-async": 1011, "flask-sync": 1200}


def test_a_container_is_stopped_by_a_request_that_asks_for_nothing_new(tmp_path: Path) -> None:
    """`containers/compare` makes a new one where there is something beside the name."""
    (tmp_path / "000001.answer").touch()
    (tmp_path / "000002.answer").write_text("it does not start\n")
    containers = Containers(SERVICES, tmp_path)
    containers.stop("flask-sync")
    assert (tmp_path / "000001.request").read_text() == "flask-sync\n"
    with pytest.raises(ComposeError, match=r"^service flask-sync: it does not start$"):
        containers.restart("flask-sync")
    assert requested(tmp_path, 2) == ("flask-sync", "postgresql://lab@postgres:5432/lab")


def requested(folder: Path, number: int) -> tuple[str, str]:
    """The service of a request, and the address of Postgres that it gets."""
    name, override = (folder / f"{number:06}.request").read_text().split("\n")
    environment = json.loads(override)["services"][name]["environment"]
    return name, environment.get("DATABASE_URL", "")


def test_the_pooler_runs_before_the_first_service_that_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "ready", lambda *_: True)
    for number in range(1, 7):
        (tmp_path / f"{number:06}.answer").touch()
    containers = Containers(SERVICES, tmp_path)
    containers.restart("flask-sync", {"POOLER_SIZE": "16"})
    containers.restart("flask-sync", {"POOLER_SIZE": "0"})
    monkeypatch.setenv("POOLER", "pgbouncer")
    containers.start(["fastapi-async"])
    containers.restart("flask-sync", {"POOLER_SIZE": "0"})
    assert [requested(tmp_path, number) for number in range(1, 6)] == [
        ("pgbouncer", ""),
        ("flask-sync", "postgresql://lab@pgbouncer:5432/16"),
        ("flask-sync", "postgresql://lab@postgres:5432/lab"),
        ("fastapi-async", "postgresql://lab@pgbouncer:5432/fastapi-async"),
        ("flask-sync", "postgresql://lab@postgres:5432/lab"),
    ]


def test_where_processes_are_not_shared_none_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SIGHT, "")
    (tmp_path / "processes").write_text("fastapi-async 1\n")  # in here, another process
    assert Containers(SERVICES, tmp_path).roots() == {}
