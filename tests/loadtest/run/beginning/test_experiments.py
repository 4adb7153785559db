"""Each experiment begins as soon as its own services are ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.model.trial import Trial
from loadtest.plan.plans import Options
from loadtest.plan.schedule import PlannedTrial
from loadtest.run import comparison, readiness
from loadtest.run.comparison import Comparison
from tests.loadtest.run.on_paper import (
    EXPERIMENT,
    PLANNED,
    Services,
    Takes,
    execute,
    on_disk,
    taken,
)
from tests.loadtest.run.test_runner import asked, unreal

__all__ = ["asked", "unreal"]  # fixtures

LATER = EXPERIMENT.replace("C1", "C2").replace('"flask-gthread"', '"flask-gevent"')


def test_an_experiment_waits_for_its_own_services_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that only a later one needs are asked for after the earlier one's trials."""
    (tmp_path / "first.toml").write_text(EXPERIMENT)
    (tmp_path / "second.toml").write_text(LATER)
    files = tuple(str(tmp_path / f"{name}.toml") for name in ("first", "second"))
    asked = comparison.begin(Options(seed=1, experiments=files), tmp_path / "results")
    started: dict[str, int] = {}
    monkeypatch.setattr(
        Services,
        "start",
        lambda _, names: started.update(dict.fromkeys(names, len(on_disk(asked)))) or {},
    )
    execute(asked)
    begun = dict.fromkeys(("fastapi-async", "flask-sync", "flask-gthread"), 0)
    assert started == begun | {"flask-gevent": PLANNED}
    assert len(on_disk(asked)) == 2 * PLANNED


def test_services_of_the_experiment_before_run_as_declared_when_others_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "first.toml").write_text(EXPERIMENT)
    (tmp_path / "second.toml").write_text(LATER)
    files = tuple(str(tmp_path / f"{name}.toml") for name in ("first", "second"))
    asked = comparison.begin(Options(seed=1, experiments=files), tmp_path / "results")
    put_back_after: list[int] = []
    monkeypatch.setattr(Takes, "put_back", lambda _: put_back_after.append(len(on_disk(asked))))
    execute(asked)
    assert put_back_after == [0, PLANNED]


def test_a_service_that_cannot_be_started_is_left_out_and_the_run_says_so(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Services, "start", lambda *_: {"flask-sync": "ended with exit code 3"})
    finished = execute(asked)
    assert {trial.service for trial in on_disk(asked)} == {"fastapi-async", "flask-gthread"}
    assert finished.left_out == {"flask-sync": "ended with exit code 3"}
    assert not finished.unverified


@pytest.mark.parametrize(("scenario", "calibrated"), [("json", True), ("wait", False)])
def test_the_generator_is_calibrated_where_it_could_be_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: str, calibrated: bool
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(EXPERIMENT.replace('"json"', f'"{scenario}"'))
    about = {"slots": 3, "slots_bound_by": "workers", "fanout": "in turn"}
    monkeypatch.setattr(readiness, "about", lambda *_: about)
    asked = comparison.begin(Options(seed=1, experiments=(str(path),)), tmp_path / "results")
    assert (execute(asked).calibration is not None) == calibrated


def test_latest_stays_where_it_was_until_a_trial_counts(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = asked.folder.parent / "latest"
    seen: list[bool] = []

    def take(_: Takes, planned: PlannedTrial, attempt: int) -> Trial:
        seen.append(latest.exists())
        return taken(planned, attempt, passed=len(seen) > 2)

    monkeypatch.setattr(Takes, "take", take)
    execute(asked)
    assert seen[:5] == [False, False, False, True, True]
    assert latest.resolve() == asked.folder


def test_a_run_in_which_no_trial_counts_leaves_latest_alone(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Takes, "take", lambda _, *trial: taken(*trial, passed=False))
    execute(asked)
    assert not (asked.folder.parent / "latest").exists()
