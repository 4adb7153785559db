"""How a trial is taken: the service as the level wants it, the load, the second load beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest

from loadtest.inventory import manifest
from loadtest.model.load import Load, LoadResult
from loadtest.model.witness import Pause
from loadtest.plan.parsing import parse
from loadtest.plan.schedule import PlannedTrial, schedule
from loadtest.run import load, measurement, settling
from loadtest.run.ceiling import peaks
from loadtest.run.measurement import Measurement
from loadtest.run.witnesses.observer import Observer, Seen
from loadtest.stats.histogram import Histogram
from loadtest.system.cpus import Cpus
from tests.loadtest.results.test_trials import RESULT

DOCUMENT: dict[str, Any] = {
    "claim": "C1",
    "title": "t",
    "statement": "s",
    "confirms": "c",
    "refutes": "r",
    "services": ["fastapi-async", "flask-sync"],
    "reference": "fastapi-async",
    "rounds": 2,
    "scenario": "wait",
    "parameters": {"ms": 100},
    "levels": [{"connections": 8}],
}
EMPTY = Histogram().encode()
PEAKS = {"fastapi-async": 400.0, "flask-sync": 30.0}


class Services:
    """Services on paper; `restarts` is who was restarted, with what."""

    name = "native"
    cpus = Cpus(None, None)
    database_url = None

    def roots(self) -> dict[str, int]:
        return {}

    def __init__(self) -> None:
        self.services = manifest.choose(manifest.load(), list(PEAKS))
        self.restarts: list[tuple[str, dict[str, str]]] = []
        self.dead: set[str] = set()

    def start(self, names: Collection[str]) -> dict[str, str]:  # noqa: ARG002
        return {}

    def alive(self, name: str) -> bool:
        return name not in self.dead

    def stop(self, name: str) -> None:
        self.dead.add(name)

    def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        self.dead.discard(name)
        self.restarts.append((name, dict(environment or {})))


class Loads:
    """In place of Locust: keeps what was asked for."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    @property
    def trials(self) -> list[dict[str, Any]]:
        """The calls without those that only let a service practise."""
        return [call for call in self.calls if not practises(call)]

    def __call__(self, asked: Load, **options: Any) -> LoadResult:
        self.calls.append({"load": asked, **options})
        rps = PEAKS[options["service"]]
        result = replace(
            RESULT, goodput_rps=rps, response_us=EMPTY, service_us=EMPTY, send_late_us=EMPTY
        )
        return replace(result, beside=result if options.get("background") else None)


def practises(call: Mapping[str, Any]) -> bool:
    """Whether a load is no trial, and only lets the service practise."""
    return bool(call["duration_s"] == measurement.PRACTICE_S)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    loads = Loads()
    monkeypatch.setattr(load, "run", loads)
    monkeypatch.setattr(settling, "settled", lambda *_: True)
    about = {"slots": 3, "slots_bound_by": "workers", "fanout": "in turn"}
    monkeypatch.setattr(measurement, "about", lambda *_: about)
    return loads


def planned(**changes: Any) -> list[PlannedTrial]:
    return schedule([parse("e", DOCUMENT | changes, where="e.toml")], seed=1)


def take(backend: Services, trials: list[PlannedTrial]) -> Measurement:
    measuring = Measurement(backend, run_id="r", seed=1, ceiling_rps=1000.0)
    for each in trials:
        measuring.take(each, 1)
    return measuring


def test_a_trial_says_what_was_asked_and_what_the_slots_allow(loads: Loads) -> None:
    [first, *_] = planned()
    trial = Measurement(Services(), run_id="r", seed=1).take(first, 2)
    assert (trial.arm, trial.attempt, trial.level) == (first.arm, 2, "8 connections")
    assert trial.prediction is not None
    assert trial.prediction.rps == pytest.approx(30.0)
    assert trial.prediction.bound_by == "workers"
    assert loads.trials[0]["target"] == manifest.load()[first.service].url()
    assert loads.trials[0]["parameters"] == {"ms": 100}


def test_the_arms_of_a_block_get_the_same_requests(loads: Loads) -> None:
    trials = planned()
    take(Services(), trials)
    seeds = {
        number: {
            call["seed"]
            for each, call in zip(trials, loads.trials, strict=True)
            if each.round == number
        }
        for number in (1, 2)
    }
    assert len(seeds[1]) == len(seeds[2]) == 1
    assert seeds[1] != seeds[2]


def test_windows_begin_at_points_of_a_wave_that_rounds_draw_and_arms_share(loads: Loads) -> None:
    trials = planned(rounds=40)
    take(Services(), trials)
    late = [call["warmup_s"] - trials[0].experiment.warmup_s for call in loads.trials]
    by_round: dict[int, set[float]] = {}
    for each, seconds in zip(trials, late, strict=True):
        by_round.setdefault(each.round, set()).add(seconds)
    assert all(len(found) == 1 for found in by_round.values())
    assert 0 <= min(late) < 0.02 < 0.08 < max(late) < 0.1


def test_what_does_not_wait_has_no_waves(loads: Loads) -> None:
    take(Services(), planned(scenario="json", parameters={}))
    assert {call["warmup_s"] for call in loads.trials} == {1.0}


def test_what_ran_with_a_larger_pool_runs_as_declared_before_other_services_start(
    loads: Loads,  # noqa: ARG001
) -> None:
    backend = Services()
    measuring = take(backend, planned(environment={"POOL_SIZE": "500"}))
    backend.restarts.clear()
    measuring.put_back()
    assert sorted(backend.restarts) == [("fastapi-async", {}), ("flask-sync", {})]
    backend.restarts.clear()
    measuring.put_back()
    assert backend.restarts == []


def test_a_service_is_restarted_only_when_its_environment_changes(loads: Loads) -> None:
    backend = Services()
    levels = [
        {"connections": 8, "label": "small", "environment": {"POOL_SIZE": "1"}},
        {"connections": 8, "label": "as it is"},
    ]
    trials = [each for each in planned(levels=levels) if each.service == "flask-sync"]
    take(backend, trials)
    wanted = [dict(each.level.environment) for each in trials]
    changes = [now for before, now in zip([{}, *wanted], wanted, strict=False) if now != before]
    assert backend.restarts == [("flask-sync", change) for change in changes]
    assert loads.calls


def test_a_service_gets_its_own_environment_and_not_anothers(loads: Loads) -> None:
    backend = Services()
    levels = [
        {"connections": 8, "label": "small", "environment_of": {"flask-sync": {"POOL_SIZE": 1}}},
        {"connections": 8, "label": "as it is"},
    ]
    take(backend, planned(levels=levels, environment_of={"fastapi-async": {"WORKERS": 2}}))
    given = {(name, *sorted(environment.items())) for name, environment in backend.restarts}
    assert given == {
        ("fastapi-async", ("WORKERS", "2")),
        ("flask-sync", ("POOL_SIZE", "1")),
        ("flask-sync",),
    }
    assert [name for name, _ in backend.restarts].count("fastapi-async") == 1
    assert loads.calls


def test_a_service_practises_each_kind_of_request_once_after_its_start(loads: Loads) -> None:
    backend = Services()
    backend.dead.add("flask-sync")
    levels = [
        {"connections": 8, "label": "json", "scenario": "json", "parameters": {}},
        {"connections": 8, "label": "json again", "scenario": "json", "parameters": {}},
        {"connections": 8, "label": "item", "scenario": "item", "parameters": {}},
    ]
    take(backend, planned(levels=levels, parameters={}))
    practised = [(call["service"], call["scenario"]) for call in loads.calls if practises(call)]
    assert sorted(practised) == [(service, kind) for service in PEAKS for kind in ("item", "json")]


def test_what_its_checks_have_asked_a_service_needs_no_practice(loads: Loads) -> None:
    measuring = Measurement(Services(), run_id="r", seed=1)
    measuring.practised("flask-sync", "wait")
    for each in planned():
        measuring.take(each, 1)
    practised = [call["service"] for call in loads.calls if practises(call)]
    assert practised == ["fastapi-async"]


def test_fresh_services_are_restarted_each_time(loads: Loads) -> None:
    backend = Services()
    take(backend, planned(fresh=True))
    assert len(backend.restarts) == len(loads.calls) == 6


def test_a_dead_service_is_started_again(loads: Loads) -> None:
    backend = Services()
    backend.dead.add("flask-sync")
    take(backend, planned())
    assert backend.restarts == [("flask-sync", {})]
    assert loads.calls


def test_a_service_that_does_not_settle_is_started_again(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "settled", lambda service, _: service.name != "flask-sync")
    backend = Services()
    take(backend, planned(rounds=1))
    assert backend.restarts == [("flask-sync", {})]
    assert loads.calls


def test_a_share_of_the_peak_is_one_of_the_slowest_services(loads: Loads) -> None:
    levels = [{"kind": "open", "connections": 64, "share_of_peak": 0.5}]
    trials = planned(levels=levels, peak={"kind": "closed", "connections": 32})
    measuring = Measurement(Services(), run_id="r", seed=1, peaks={"e": PEAKS})
    for each in trials:
        measuring.take(each, 1)
    assert {call["load"].kind for call in loads.trials} == {"open"}
    assert {call["load"].rate_rps for call in loads.trials} == {15.0}


def test_a_peak_is_measured_as_a_trial_is_without_what_runs_beside(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that was stopped for a third of the window has no peak."""
    stopped = Seen(None, (Pause("flask-sync", 1, 0.7),))
    seen = property(lambda _: stopped, lambda *_: None)
    monkeypatch.setattr(Observer, "seen", seen, raising=False)
    levels = [{"kind": "open", "connections": 64, "share_of_peak": 0.5}]
    background = {"scenario": "cpu", "parameters": {"n": 1000}, "kind": "closed", "connections": 1}
    peak = {"kind": "closed", "connections": 32}
    trials = planned(levels=levels, peak=peak, background=background)
    measuring = Measurement(Services(), run_id="r", seed=1)
    found = [measuring.take(each, 1) for each in peaks.wanted(trials).values()]
    assert {trial.service for trial in found} == set(PEAKS)
    assert {trial.disturbed_by for trial in found} == {("processes kept running",)}
    assert {call["load"] for call in loads.trials} == {Load("closed", 32)}
    assert {call["background"] for call in loads.trials} == {None}
    assert len({call["seed"] for call in loads.trials}) == 1


def test_the_second_load_runs_beside_the_first_and_is_kept(loads: Loads) -> None:
    background = {"scenario": "cpu", "parameters": {"n": 1000}, "kind": "closed", "connections": 1}
    [first, *_] = planned(background=background)
    trial = Measurement(Services(), run_id="r", seed=1).take(first, 1)
    [main] = loads.trials
    assert (main["scenario"], main["background"].scenario) == ("wait", "cpu")
    assert trial.result.beside is not None
    assert trial.result.beside.answered == RESULT.answered


def test_what_is_not_taken_up_fails_no_gate_where_that_is_a_result(loads: Loads) -> None:
    for allowed in (False, True):
        [first, *_] = planned(errors_allowed=allowed, load={"kind": "held"})
        trial = Measurement(Services(), run_id="r", seed=1).take(first, 1)
        assert ("requests held" in {gate.name for gate in trial.gates}) is not allowed
    assert loads.trials
