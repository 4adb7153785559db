"""Trials of services of the user's own: their request, their limit, their processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtest.backends.own import OwnServices
from loadtest.inventory.own_service import own_services
from loadtest.model.load import Load, LoadResult
from loadtest.plan.parsing import parse
from loadtest.plan.schedule import schedule
from loadtest.run import load, measurement
from loadtest.run.ceiling import calibrate
from loadtest.run.own.introduction import Introduction
from loadtest.run.own.own_measurement import EnoughAsked, OwnMeasurement
from loadtest.run.own.sampling import TreeSampler
from loadtest.stats.histogram import Histogram
from tests.loadtest.results.test_trials import RESULT
from tests.lying_servers import answering, serving
from tests.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EMPTY = Histogram().encode()
SENT = 1000  # requests of each load


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def run(asked: Load, **options: Any) -> LoadResult:
        found.append({"load": asked, **options})
        return replace(RESULT, sent=SENT, response_us=EMPTY, service_us=EMPTY, send_late_us=EMPTY)

    monkeypatch.setattr(load, "run", run)
    return found


@pytest.fixture
def port() -> Iterator[int]:
    with serving(answering(OK)) as found:
        yield found


def taken(folder: Path, port: int, **keys: Any) -> tuple[OwnMeasurement, list[Any]]:
    """A measurement of one service under two names, and its trials."""
    targets = {name: {"url": f"http://localhost:{port}/x?y=1"} for name in "AB"}
    experiment = parse("mine", {"targets": targets, "rounds": 2, **keys}, where="mine")
    backend = OwnServices(own_services(experiment.targets, {}), folder)
    introduction = Introduction(backend, experiment, lambda _: None)
    introduction.of(experiment.services)
    measuring = OwnMeasurement(backend, introduction, run_id="r", seed=1)
    return measuring, schedule([experiment], seed=1)


def test_each_target_is_asked_its_own_request_and_practises_within_its_load(
    tmp_path: Path, port: int, calls: list[dict[str, Any]]
) -> None:
    keys = {"levels": [{"connections": 3}], "request": {"method": "POST"}}
    measuring, trials = taken(tmp_path, port, **keys)
    found = [measuring.take(each, 1) for each in trials]
    assert {call["request"].url for call in calls} == {f"http://localhost:{port}/x?y=1"}
    assert {call["request"].method for call in calls} == {"POST"}
    assert {call["target"] for call in calls} == {f"http://localhost:{port}"}
    assert {call["load"].connections for call in calls} == {3}
    practice = [call for call in calls if call["duration_s"] == measurement.PRACTICE_S]
    assert len(practice) == 2
    assert all(not trial.samples and trial.pauses is None for trial in found)
    assert all(trial.counted is None and trial.prediction is None for trial in found)


def test_every_answer_has_to_be_the_first_where_bodies_count(
    tmp_path: Path, port: int, calls: list[dict[str, Any]]
) -> None:
    measuring, trials = taken(tmp_path, port, same_body=True)
    measuring.take(trials[0], 1)
    assert {call["request"].content for call in calls} == {"ok"}


def test_no_trial_begins_that_would_ask_more_than_may_be(
    tmp_path: Path, port: int, calls: list[dict[str, Any]]
) -> None:
    measuring, trials = taken(tmp_path, port, requests_at_most=3 * SENT)

    def all_of_them() -> None:
        for each in trials:
            measuring.take(each, 1)

    with pytest.raises(EnoughAsked, match="no more than 3,000 may be; allow more with --requests"):
        all_of_them()
    assert 0 < len(calls) * SENT <= 3 * SENT


@pytest.mark.parametrize(("ms", "wanted"), [(0.5, True), (100.0, False)])
def test_the_load_generator_is_calibrated_where_it_could_be_the_limit(
    ms: float, wanted: bool
) -> None:
    targets = {name: {"url": "http://localhost/"} for name in "AB"}
    experiment = parse("mine", {"targets": targets}, where="mine")
    assert calibrate.needed(experiment, [{"ms": 100.0}, {"ms": ms}]) is wanted


def test_the_cpu_of_what_was_started_is_seen_with_its_children() -> None:
    spinning = "import os, time; os.fork(); t = time.time()\nwhile time.time() < t + 60: pass"
    with psutil.Popen([sys.executable, "-c", spinning]) as process:
        try:
            with TreeSampler(process.pid, interval_s=0.05) as sampler:
                began = "2026-01-01T00:00:00+00:00"
                assert eventually(lambda: sum(s.cpu > 0 for s in sampler.samples(began)) > 2)
            last = sampler.samples(began)[-1]
            assert last.threads == 2
            assert last.pss_bytes > 1e6
        finally:
            for each in (*process.children(recursive=True), process):
                each.kill()


def test_of_somebody_elses_nothing_is_seen() -> None:
    with TreeSampler(None) as sampler:
        sampler.look()
    assert sampler.samples("2026-01-01T00:00:00+00:00") == ()
    assert sampler.counted() is None
