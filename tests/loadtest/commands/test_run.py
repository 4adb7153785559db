"""How `run` ends: its exit code and its last lines."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from loadtest.commands import run
from loadtest.contract.verification import Verified
from loadtest.run import readiness
from loadtest.run.comparison import Comparison
from tests.loadtest.run.on_paper import Services, Takes, taken
from tests.loadtest.run.test_runner import asked, unreal

__all__ = ["asked", "unreal"]  # fixtures

WRITTEN = SimpleNamespace(conditions_met=(), lacking=(), exit_code=0)  # a report without conditions


def code(asked: Comparison, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a run whose backend exists on paper only."""

    @contextlib.contextmanager
    def backend(_: Comparison) -> Iterator[Any]:
        yield Services(asked)

    monkeypatch.setattr(Comparison, "backend", backend)
    try:
        run.carry_out(asked)
    except typer.Exit as end:
        return end.exit_code
    return 0


def test_a_run_that_measured_is_a_success(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "written", lambda _: WRITTEN)  # these trials have no latencies
    assert code(asked, monkeypatch) == 0


@pytest.mark.parametrize("reason", ["no service", "no trial"])
def test_a_run_in_which_nothing_could_be_timed_is_none(
    asked: Comparison,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reason: str,
) -> None:
    if reason == "no service":
        wrong = Verified(("this machine is too busy to check it: load 48 on 2 cores",))
        monkeypatch.setattr(readiness, "verify", lambda *_: wrong)
    else:
        monkeypatch.setattr(run, "written", lambda _: WRITTEN)
        monkeypatch.setattr(Takes, "take", lambda _, *trial: taken(*trial, passed=False))
    assert code(asked, monkeypatch) == 1
    assert "nothing could be timed" in capsys.readouterr().out
