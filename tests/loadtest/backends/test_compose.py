from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.backends.base import POSTGRES
from loadtest.backends.compose import SIGHT, Containers
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


def test_where_processes_are_not_shared_none_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SIGHT, "")
    (tmp_path / "processes").write_text("fastapi-async 1\n")  # in here, another process
    assert Containers(SERVICES, tmp_path).roots() == {}
