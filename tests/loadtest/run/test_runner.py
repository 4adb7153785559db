"""What a run does with trials, services and troubles; nothing real is started."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.contract.verification import Verified
from loadtest.model.trial import Gate, Trial
from loadtest.plan.plans import Options, PlanError
from loadtest.plan.schedule import PlannedTrial
from loadtest.results import record, runs, trials
from loadtest.results.trials import TrialsError
from loadtest.run import comparison, experiments, readiness, rounds, runner
from loadtest.run.ceiling import calibrate
from loadtest.run.comparison import Comparison
from loadtest.run.load import LoadError
from tests.loadtest.run.on_paper import (
    EXPERIMENT,
    PLANNED,
    Services,
    Silent,
    Takes,
    execute,
    on_disk,
    taken,
)


@pytest.fixture(autouse=True)
def unreal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAB_STATE", str(tmp_path / "state"))  # a lab may run in this clone
    monkeypatch.setattr(experiments, "Measurement", Takes)
    monkeypatch.setattr(readiness, "verify", lambda *_: Verified())
    monkeypatch.setattr(readiness, "about", lambda *_: {})
    monkeypatch.setattr(calibrate, "calibrate", lambda **_: {"ceiling_rps": 1000.0})


@pytest.fixture
def asked(tmp_path: Path) -> Comparison:
    path = tmp_path / "own.toml"
    path.write_text(EXPERIMENT)
    return comparison.begin(Options(seed=1, experiments=(str(path),)), tmp_path / "results")


def test_every_planned_trial_is_run_once_in_order(asked: Comparison) -> None:
    finished = execute(asked)
    assert [trial.index for trial in on_disk(asked)] == list(range(PLANNED))
    assert (finished.planned, finished.interrupted, finished.reason) == (PLANNED, False, "")
    assert runs.load(asked.folder).complete


def test_a_failed_gate_is_tried_again_up_to_the_limit_and_kept(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(_: Takes, planned: PlannedTrial, attempt: int) -> Trial:
        good = planned.index != 3 and (planned.index != 5 or attempt == 2)
        return taken(planned, attempt, passed=good)

    monkeypatch.setattr(Takes, "take", take)
    watch = Silent()
    execute(asked, watch)
    attempts = {
        index: [trial.attempt for trial in on_disk(asked) if trial.index == index]
        for index in (3, 4, 5)
    }
    assert attempts == {3: [1, 2, 3], 4: [1], 5: [1, 2]}
    assert [trial.valid for trial in watch.finished].count(False) == 1


def disturbed(planned: PlannedTrial, attempt: int) -> Trial:
    trial = taken(planned, attempt)
    gate = Gate("machine to itself", False, 0.3, 0.05, "make took 0.5 s", disturbance=True)
    return replace(trial, gates=(*trial.gates, gate))


def test_a_disturbed_trial_is_run_again_at_the_end_of_its_block(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(_: Takes, planned: PlannedTrial, attempt: int) -> Trial:
        spoilt = planned.index == 1 and attempt < 3
        return disturbed(planned, attempt) if spoilt else taken(planned, attempt)

    monkeypatch.setattr(Takes, "take", take)
    watch = Silent()
    execute(asked, watch)
    order = [(trial.index, trial.attempt) for trial in on_disk(asked)]
    assert order[:6] == [(0, 1), (1, 1), (2, 1), (3, 1), (1, 2), (1, 3)]
    assert [index for index, _ in order[6:]] == [4, 5, 6, 7]
    assert sorted(trial.index for trial in watch.finished) == list(range(PLANNED))


def test_a_machine_that_stays_busy_ends_the_run_and_a_resumed_run_makes_it_whole(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            Takes,
            "take",
            lambda _, planned, attempt: (
                disturbed(planned, attempt) if planned.index else taken(planned, attempt)
            ),
        )
        running = runner.Runner(asked.plan, asked.folder, asked.record, Silent())
        services: Any = Services(asked)
        finished = running.execute(contextlib.nullcontext(services))
    assert running.exit_code == 75
    assert finished.interrupted
    assert "\n" not in finished.reason
    assert "8 trials in a row were disturbed" in finished.reason
    assert "machine to itself (make took 0.5 s)" in finished.reason
    assert len(on_disk(asked)) == 1 + rounds.BUSY_AFTER
    execute(comparison.resume(asked.folder))
    kept = runs.load(asked.folder)
    assert kept.complete
    assert sorted(trial.index for trial in kept.valid["own"]) == list(range(PLANNED))


def test_what_was_spoilt_long_before_the_end_stays_as_it_is(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken on another day it would stand beside trials of its round that are far from it."""

    def take(_: Takes, planned: PlannedTrial, attempt: int) -> Trial:
        if planned.index == 6:
            raise KeyboardInterrupt
        return (disturbed if planned.index == 1 else taken)(planned, attempt)

    with monkeypatch.context() as patch:
        patch.setattr(Takes, "take", take)
        execute(asked)
    before = on_disk(asked)
    execute(comparison.resume(asked.folder))
    assert [trial.index for trial in on_disk(asked)[len(before) :]] == [6, 7]
    assert [trial.index for trial in before].count(1) == rounds.MAX_ATTEMPTS


def test_ctrl_c_keeps_what_was_finished(asked: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Takes, "take", until(5, KeyboardInterrupt()))
    finished = execute(asked)
    assert finished.reason == "stopped by Ctrl-C"
    assert len(on_disk(asked)) == 5
    assert not runs.load(asked.folder).complete


@pytest.mark.parametrize("stopped_at", range(PLANNED))
def test_a_resumed_run_has_the_same_schedule_and_loses_nothing(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Takes, "take", until(stopped_at, KeyboardInterrupt()))
        execute(asked)
    before = on_disk(asked)
    again = comparison.resume(asked.folder)
    assert places(again) == places(asked)
    execute(again)
    assert on_disk(asked)[:stopped_at] == before
    assert [trial.index for trial in on_disk(asked)] == list(range(PLANNED))


def test_a_trial_that_was_cut_while_written_is_run_again(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Takes, "take", until(3, KeyboardInterrupt()))
        execute(asked)
    path = asked.folder / "trials.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    execute(comparison.resume(asked.folder))
    assert [trial.index for trial in on_disk(asked)] == list(range(PLANNED))


def test_a_full_disk_stops_the_run_with_the_reason(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = trials.append

    def full(path: Path, trial: Trial) -> None:
        if trial.index == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(path, trial)

    monkeypatch.setattr(trials, "append", full)
    finished = execute(asked)
    assert "no space left" in finished.reason
    assert str(asked.folder) in finished.reason
    assert len(on_disk(asked)) == 2


def test_another_error_passes_through_once_the_record_is_written(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Takes, "take", until(1, TrialsError("broken")))
    with pytest.raises(TrialsError, match="broken"):
        execute(asked)
    known = runs.load(asked.folder).info
    assert (known["interrupted"], known["reason"]) == (True, "stopped: broken")


def test_a_load_that_could_not_be_made_is_made_once_more_and_told(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([LoadError("it did not end")])

    def take(_: Takes, planned: PlannedTrial, attempt: int) -> Trial:
        if planned.index == 2 and (error := next(failures, None)):
            raise error
        return taken(planned, attempt)

    monkeypatch.setattr(Takes, "take", take)
    finished = execute(asked)
    assert len(on_disk(asked)) == PLANNED
    [warning] = finished.warnings
    assert warning.endswith("taken again, because it did not end")


def test_a_service_that_fails_its_checks_is_never_timed_and_the_run_says_so(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing("flask-sync", monkeypatch)
    watch = Silent()
    finished = execute(asked, watch)
    assert {trial.service for trial in on_disk(asked)} == {"fastapi-async", "flask-gthread"}
    assert finished.unverified == {"flask-sync": "wrong body"}
    assert any("flask-sync is not timed" in line for line in watch.lines)
    assert "flask-sync" in record.restore(runs.load(asked.folder).info).unverified


def test_a_check_that_a_busy_machine_spoiled_excludes_nobody_where_that_is_accepted(
    asked: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiled = Verified(("too busy",), busy="load 48", doubtful=("3 slots",))
    monkeypatch.setattr(readiness, "verify", lambda *_: spoiled)
    options = replace(asked.plan.options, busy="accept")
    finished = execute(comparison.begin(options, tmp_path / "accepted"))
    assert finished.unverified == {}
    assert "flask-sync: checked on a busy machine (load 48): 3 slots" in finished.warnings
    assert len(execute(asked).unverified) == 3


def test_without_its_reference_an_experiment_is_left_out(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing("fastapi-async", monkeypatch)
    finished = execute(asked)
    assert not on_disk(asked)
    assert "fastapi-async" in finished.left_out["own"]


def test_a_resumed_run_needs_the_services_it_began_with(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Takes, "take", until(3, KeyboardInterrupt()))
        execute(asked)
    failing("flask-sync", monkeypatch)
    with pytest.raises(PlanError, match=r"needs the services it began with.*flask-sync"):
        execute(comparison.resume(asked.folder))
    assert len(on_disk(asked)) == 3


def test_a_changed_experiment_file_does_not_change_a_resumed_run(
    asked: Comparison, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").unlink()
    assert places(comparison.resume(asked.folder)) == places(asked)


def places(asked: Comparison) -> list[tuple[object, ...]]:
    """The schedule: what runs when, and how."""
    return [
        (each.index, each.round, each.order, each.arm, each.level, each.experiment.duration_s)
        for each in asked.plan.trials
    ]


def until(count: int, error: BaseException) -> Callable[[Takes, PlannedTrial, int], Trial]:
    """Trials that go well until `count` of them are done."""

    def take(_: Takes, planned: PlannedTrial, attempt: int) -> Trial:
        if planned.index == count:
            raise error
        return taken(planned, attempt)

    return take


def failing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def verify(service: Any, *_: object) -> Verified:
        return Verified(("wrong body",)) if service.name == name else Verified()

    monkeypatch.setattr(readiness, "verify", verify)
