"""A run looks at its figures, and goes on where something is open; nothing real is started."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.model.experiment import Looked
from loadtest.model.trial import Trial
from loadtest.plan.plans import Options
from loadtest.plan.schedule import PlannedTrial
from loadtest.results import runs
from loadtest.results import trials as records
from loadtest.results.runs import RunError
from loadtest.run import comparison
from loadtest.run.comparison import Comparison
from tests.loadtest.results.test_trials import RESULT
from tests.loadtest.run.on_paper import Silent, Takes, execute, on_disk, taken
from tests.loadtest.run.test_runner import unreal

__all__ = ["unreal"]  # a fixture

EXPERIMENT = """\
claim = "C1"
title = "t"
statement = "s"
confirms = "c"
refutes = "r"
services = ["fastapi-async", "flask-sync"]
reference = "fastapi-async"
scenario = "json"
levels = [{ connections = 1 }, { connections = 8 }, { connections = 64 }]

[[criteria]]
says = "quiet"
service = "flask-sync"
level = "1 connection"
ratio_at_most = 0.5

[[criteria]]
says = "noisy"
service = "flask-sync"
level = "64 connections"
ratio_at_most = 0.5
"""
ARMS = 3
RUNS = {"1 connection": 3, "8 connections": 3, "64 connections": 12}  # rounds of each level


@pytest.fixture
def asked(tmp_path: Path) -> Comparison:
    return begun(tmp_path)


SERVICES = ("fastapi-async", "flask-sync")


def begun(
    folder: Path,
    rounds: int | None = None,
    text: str = EXPERIMENT,
    services: tuple[str, ...] = SERVICES,
) -> Comparison:
    path = folder / "own.toml"
    path.write_text(text)
    options = Options(1, "full", (str(path),), services, rounds=rounds)
    return comparison.begin(options, folder / "results")


def measured(planned: PlannedTrial, attempt: int) -> Trial:
    """At one connection Flask is steadily at a third; at 64 nobody can tell where it is."""
    rps = 900.0 + planned.round
    if planned.service == "flask-sync":
        noisy = planned.level.label == "64 connections"
        rps *= (0.1 if planned.round % 2 else 2.0) if noisy else 0.3
    found = taken(planned, attempt)
    return replace(found, result=replace(found.result, goodput_rps=rps))


@pytest.fixture(autouse=True)
def figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Takes, "take", lambda _, *trial: measured(*trial))


def rounds_of(asked: Comparison) -> dict[str, int]:
    """How many rounds each level got, each of them whole."""
    seen = [(trial.level, trial.round) for trial in on_disk(asked)]
    assert {seen.count(each) for each in seen} == {ARMS}
    return {label: len({number for level, number in seen if level == label}) for label in RUNS}


def test_rounds_go_on_where_something_is_open_and_nowhere_else(asked: Comparison) -> None:
    watch = Silent()
    finished = execute(asked, watch)
    assert rounds_of(asked) == RUNS
    looks = finished.looks["own"]
    assert [look.rounds for look in looks] == [3, 4, 6, 8, 12]
    assert all(look.open == {"64 connections": SERVICES} for look in looks)
    assert looks[-1].spent == pytest.approx(0.05)
    assert [look for _, look, _ in watch.looks] == list(looks)
    assert finished.planned == len(on_disk(asked)) == watch.looks[-1][2]
    assert runs.load(asked.folder).complete
    with pytest.raises(RunError, match="came to its end"):
        comparison.resume(asked.folder)


def test_further_rounds_have_only_the_services_that_something_is_open_between(
    tmp_path: Path,
) -> None:
    """The reference and its twin are not asked again, as nothing waits for them."""
    between = 'service = "flask-sync"\nreference = "flask-gthread"\nlevel = "64'
    text = EXPERIMENT.replace('"flask-sync"]', '"flask-sync", "flask-gthread"]').replace(
        'service = "flask-sync"\nlevel = "64', between
    )
    asked = begun(tmp_path, text=text, services=(*SERVICES, "flask-gthread"))
    finished = execute(asked)
    arms = {number: {t.arm for t in on_disk(asked) if t.round == number} for number in (3, 4, 12)}
    assert arms[3] == {"fastapi-async", "fastapi-async#2", "flask-sync", "flask-gthread"}
    assert arms[4] == arms[12] == {"flask-sync", "flask-gthread"}
    assert finished.planned == len(on_disk(asked))
    assert runs.load(asked.folder).complete


def test_an_experiment_ends_once_everything_is_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(_: Takes, planned: PlannedTrial, attempt: int) -> Trial:
        return replace(measured(replace(planned, round=1), attempt), round=planned.round)

    monkeypatch.setattr(Takes, "take", take)
    asked = begun(tmp_path)
    finished = execute(asked)
    assert rounds_of(asked) == dict.fromkeys(RUNS, 3)
    assert finished.looks["own"] == (Looked(3, finished.looks["own"][0].spent, {}),)
    assert runs.load(asked.folder).complete


def test_rounds_that_were_asked_for_are_run_whatever_is_decided(tmp_path: Path) -> None:
    asked = begun(tmp_path, rounds=5)
    finished = execute(asked)
    assert rounds_of(asked) == dict.fromkeys(RUNS, 5)
    assert finished.looks == {}


@pytest.mark.parametrize("stopped_at", [0, 5, 26, 27, 28, 29, 33, 40, 52, 53])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    asked: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    done: list[int] = []

    def take(_: Takes, planned: PlannedTrial, attempt: int) -> Trial:
        if len(done) == stopped_at:
            raise KeyboardInterrupt
        done.append(planned.index)
        return measured(planned, attempt)

    with monkeypatch.context() as patch:
        patch.setattr(Takes, "take", take)
        assert execute(asked).interrupted
    resumed = execute(comparison.resume(asked.folder))
    (tmp_path / "whole").mkdir()
    whole = begun(tmp_path / "whole")
    assert resumed.looks == execute(whole).looks
    assert resumed.planned == len(on_disk(asked))
    assert [(t.index, t.round) for t in on_disk(asked)] == [
        (t.index, t.round) for t in on_disk(whole)
    ]
    assert runs.load(asked.folder).complete


def test_a_look_that_was_taken_stands_in_the_resumed_run(
    asked: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures that change afterwards, as by a trial that is run again, count at the next look."""

    def stop(_: Takes, planned: PlannedTrial, attempt: int) -> Trial:
        if planned.round == 4:
            raise KeyboardInterrupt
        return measured(planned, attempt)

    with monkeypatch.context() as patch:
        patch.setattr(Takes, "take", stop)
        first = execute(asked).looks["own"]
    trials = [replace(trial, result=RESULT) for trial in on_disk(asked)]  # all alike: decided
    (asked.folder / "trials.jsonl").unlink()
    for trial in trials:
        records.append(asked.folder / "trials.jsonl", trial)
    going_on = comparison.resume(asked.folder)
    assert going_on.record.looks["own"] == first
    assert execute(going_on).looks["own"][0].open == {"64 connections": SERVICES}
