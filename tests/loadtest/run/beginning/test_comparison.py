"""What can be known before a run is told before it has a folder."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.backends import account, native, postgres
from loadtest.backends.account import AccountError
from loadtest.backends.postgres import PostgresError
from loadtest.errors import LabError
from loadtest.plan.plans import Options
from loadtest.run import comparison
from tests.loadtest.run.on_paper import EXPERIMENT, Services

Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A lab may run in this clone."""
    monkeypatch.setenv("LAB_STATE", str(tmp_path / "state"))


def refusing(place: object, name: str, error: LabError) -> Patch:
    def raising(*_: object) -> None:
        raise error

    return lambda patch: patch.setattr(place, name, raising)


def few_files(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resource, "getrlimit", lambda _: (64, 64))


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (few_files, "1 connections need 65 open files"),
        (refusing(account, "require", AccountError("no user has a name")), "no user"),
        (refusing(postgres, "require", PostgresError("a lab runs there")), "a lab runs"),
    ],
)
def test_trouble_that_can_be_known_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Patch, told: str
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(EXPERIMENT)
    trouble(monkeypatch)
    with pytest.raises(LabError, match=told):
        comparison.begin(Options(seed=1, experiments=(str(path),)), tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_native_comparison_takes_free_ports_and_starts_no_service_yet(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(EXPERIMENT)
    asked = comparison.begin(Options(seed=1, experiments=(str(path),)), tmp_path / "results")
    with asked.backend() as lab:
        declared = Services(asked).services
        assert isinstance(lab, native.Lab)
        assert list(lab.services) == list(declared)
        assert not any(lab.alive(name) for name in declared)
        taken = {each.port for each in lab.services.values()}
        assert not taken & {each.port for each in declared.values()}
