from __future__ import annotations

import json
from pathlib import Path

import pytest

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
    name, override = (tmp_path / "000002.request").read_text().split("\n")
    assert (name, json.loads(override)["services"]) == (
        "flask-sync",
        {"flask-sync": {"environment": {}}},
    )


def test_where_processes_are_not_shared_none_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SIGHT, "")
    (tmp_path / "processes").write_text("fastapi-async 1\n")  # in here, another process
    assert Containers(SERVICES, tmp_path).roots() == {}
