"""Trials of services of the user's own: their request, their limit, their processes."""

from __future__ import annotations

import socket
import sys
import threading
import time
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
from loadtest.run.load import LoadError
from loadtest.run.own.introduction import Introduction
from loadtest.run.own.limit import EnoughAsked
from loadtest.run.own.own_measurement import OwnMeasurement
from loadtest.run.own.sampling import TreeSampler
from loadtest.stats.histogram import Histogram
from tests.loadtest.results.test_trials import RESULT
from tests.lying_servers import read_request, serving
from tests.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EMPTY = Histogram().encode()
SENT = 1000  # requests of each load


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """In place of loads: each of `SENT` requests, if so many may be."""
    found: list[dict[str, Any]] = []

    def run(asked: Load, **options: Any) -> LoadResult:
        found.append({"load": asked, **options})
        sent = min(SENT, options["requests_at_most"])
        return replace(RESULT, sent=sent, response_us=EMPTY, service_us=EMPTY, send_late_us=EMPTY)

    monkeypatch.setattr(load, "run", run)
    return found


class Counted:
    """A service that counts its requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.read = 0

    def __call__(self, connection: socket.socket) -> None:
        while read_request(connection):
            with self._lock:
                self.read += 1
            connection.sendall(OK)


@pytest.fixture
def service() -> Counted:
    return Counted()


@pytest.fixture
def port(service: Counted) -> Iterator[int]:
    with serving(service) as found:
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


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("most", [1, 2, 3, SENT // 2, SENT + 2, 3 * SENT, 100 * SENT])
def test_all_requests_together_are_no_more_than_may_be(
    tmp_path: Path, port: int, service: Counted, calls: list[dict[str, Any]], most: int, method: str
) -> None:
    """The first look, the practice, the trials, and what is asked between them."""

    def all_of_it() -> None:
        keys = {"requests_at_most": most, "request": {"method": method}}
        measuring, trials = taken(tmp_path, port, **keys)
        for each in trials:
            measuring.take(each, 1)

    if most < 100 * SENT:
        told = f"no more than {most:,} may be; allow more with --requests"
        with pytest.raises(EnoughAsked, match=told):
            all_of_it()
    else:
        all_of_it()
    loaded = sum(min(SENT, call["requests_at_most"]) for call in calls)
    assert 0 < service.read + loaded <= most
    assert all(call["requests_at_most"] > 0 for call in calls)


def test_a_load_that_its_limit_cut_short_is_no_trial(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []

    def run(*_: Any, **options: Any) -> LoadResult:
        """The practice is slow, and the trial as fast as it may be."""
        sent.append(options["requests_at_most"] if sent else 10)
        return replace(RESULT, sent=sent[-1])

    monkeypatch.setattr(load, "run", run)
    measuring, [first, *_] = taken(tmp_path, port, requests_at_most=SENT)
    with pytest.raises(EnoughAsked, match=r"^1,000 requests were sent, and no more than 1,000"):
        measuring.take(first, 1)
    assert len(sent) == 2


@pytest.mark.parametrize(("most", "goes_on"), [(100, False), (10_000_000, True)])
def test_a_load_that_broke_off_may_have_sent_all_that_it_can(
    tmp_path: Path,
    port: int,
    calls: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    goes_on: bool,
) -> None:
    measuring, [first, *_] = taken(tmp_path, port, requests_at_most=most)
    with monkeypatch.context() as patch:
        patch.setattr(load, "run", broken_off)
        with pytest.raises(LoadError):
            measuring.take(first, 1)
    if goes_on:
        measuring.take(first, 2)
        assert len(calls) == 2
    else:
        with pytest.raises(EnoughAsked, match=r"^up to 100 requests were sent"):
            measuring.take(first, 2)
        assert not calls


def broken_off(*_: Any, **__: Any) -> LoadResult:
    time.sleep(0.01)
    raise LoadError("it ended without a result")


def test_a_real_load_stops_at_the_limit(tmp_path: Path, port: int, service: Counted) -> None:
    keys = {"requests_at_most": 60, "request": {"method": "POST"}, "duration_s": 0.5}
    measuring, [first, *_] = taken(tmp_path, port, **keys)
    with pytest.raises(EnoughAsked, match=r"^60 requests were sent"):
        measuring.take(first, 1)
    assert service.read == 60


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
