"""How `run` ends: its exit code and its last lines."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from loadtest.backends.own import OwnServiceError
from loadtest.commands import run
from loadtest.contract.verification import Verified
from loadtest.plan.plans import Options
from loadtest.report.own import outcome
from loadtest.run import comparison, readiness
from loadtest.run.ceiling import calibrate
from loadtest.run.comparison import Comparison
from loadtest.run.own.limit import EnoughAsked
from loadtest.system import machine
from tests.loadtest.run.on_paper import Services, Takes, taken
from tests.loadtest.run.own.test_own_run import compared
from tests.loadtest.run.test_runner import asked, unreal, until

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
    assert "nothing could be timed; the lines above" in capsys.readouterr().err


def test_a_check_alone_does_not_make_a_success_of_trials_that_all_failed(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "written", lambda _: WRITTEN)
    monkeypatch.setattr(Takes, "take", lambda _, *trial: taken(*trial, passed=False))
    with_check = replace(asked.record, checks={"contract": {}})
    assert code(replace(asked, record=with_check), monkeypatch) == 1


@pytest.mark.parametrize("lacking", [(), ("B was not measured: error rate: all failed",)])
def test_own_services_of_which_nothing_could_be_timed_are_trouble(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lacking: tuple[str, ...],
) -> None:
    """As docs/versus.md says; 1 is for a condition that is met."""
    written = SimpleNamespace(conditions_met=(), lacking=lacking, exit_code=2)
    monkeypatch.setattr(run, "written", lambda _: written)
    monkeypatch.setattr(machine, "describe", dict)  # takes a second
    monkeypatch.setattr(calibrate, "needed", lambda *_: False)
    monkeypatch.setattr(Takes, "take", lambda _, *trial: taken(*trial, passed=False))
    own = comparison.begin(Options(seed=1, rounds=2), tmp_path / "results", compared())
    assert code(own, monkeypatch) == 2
    said = capsys.readouterr().err
    assert said.startswith("loadtest: nothing could be timed")
    assert all(each in said for each in lacking)


@pytest.mark.parametrize(("met", "ends"), [(("B < A is so",), 1), ((), 2)])
def test_a_limit_of_requests_hides_no_condition_that_is_met(
    asked: Comparison,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    met: tuple[str, ...],
    ends: int,
) -> None:
    written = SimpleNamespace(conditions_met=met, lacking=(), exit_code=1)
    monkeypatch.setattr(run, "written", lambda _: written)
    monkeypatch.setattr(outcome, "condition", str)
    monkeypatch.setattr(Takes, "take", until(5, EnoughAsked("9 requests were sent")))
    assert code(asked, monkeypatch) == ends
    said = capsys.readouterr()
    assert "9 requests were sent" in said.out
    assert ("failed: B < A is so" in said.err) == bool(met)


def test_what_was_measured_is_told_though_an_error_ends_it(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Path] = []
    monkeypatch.setattr(run, "written", told.append)
    monkeypatch.setattr(Takes, "take", until(5, OwnServiceError("B: nothing listens there")))
    with pytest.raises(OwnServiceError):
        code(asked, monkeypatch)
    assert told == [asked.folder]
