"""The load side's metrics: what goes in as batches comes out as Prometheus reads it."""

from __future__ import annotations

import logging
import socket
import urllib.request
from collections import Counter

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from lab.metrics.store import BOUNDS_S
from loadtest.engine.tally import Batch
from loadtest.generator import exporter
from loadtest.generator.exporter import LoadCollector, LoadCounts, Phase
from loadtest.stats.histogram import Histogram


def batch(
    service: str = "flask-sync",
    latencies: tuple[float, ...] = (0.1,),
    errors: dict[str, int] | None = None,
) -> Batch:
    failed = sum((errors or {}).values())
    made = Batch(service, "wait", "GET", "/wait", answered=len(latencies) - failed, failed=failed)
    made.errors = Counter(errors or {})
    made.response.add_seconds(latencies)
    return made


def collector(counts: LoadCounts, ceiling: float | None = None) -> LoadCollector:
    return LoadCollector(
        counts=counts,
        users=lambda: {("flask-sync", "wait"): 7},
        in_flight=lambda: {("flask-sync", "wait"): 5},
        waits=lambda: {("flask-sync", "wait"): 0.1},
        cpu_ratio=lambda: 0.25,
        ceiling_ratio=lambda: ceiling,
        phases=lambda: [Phase("run-1", "flask-sync", "wait", "measured")],
    )


def scraped(counts: LoadCounts, ceiling: float | None = None) -> dict[frozenset[str], float]:
    registry = CollectorRegistry()
    registry.register(collector(counts, ceiling))
    return {
        frozenset((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def key(*words: str) -> frozenset[str]:
    return frozenset(words)


def test_requests_are_counted_by_service_scenario_and_outcome() -> None:
    counts = LoadCounts()
    counts.add(batch(latencies=(0.1, 0.2, 30.0), errors={"timeout": 1}))
    counts.add(batch("fastapi-async", (0.1,)))
    seen = scraped(counts)
    assert seen[key("lab_load_requests_total", "flask-sync", "wait", "ok")] == 2
    assert seen[key("lab_load_requests_total", "flask-sync", "wait", "timeout")] == 1
    assert seen[key("lab_load_requests_total", "fastapi-async", "wait", "ok")] == 1


def test_a_service_that_only_fails_has_a_goodput_of_zero() -> None:
    counts = LoadCounts()
    counts.add(batch(errors={"connection refused": 1}))
    assert scraped(counts)[key("lab_load_requests_total", "flask-sync", "wait", "ok")] == 0


def test_users_generator_and_phase_are_shown() -> None:
    seen = scraped(LoadCounts(), ceiling=0.5)
    assert seen[key("lab_load_users", "flask-sync", "wait")] == 7
    assert seen[key("lab_load_in_flight", "flask-sync", "wait")] == 5
    assert seen[key("lab_load_wait_seconds", "flask-sync", "wait")] == 0.1
    assert seen[key("lab_load_generator_cpu_ratio")] == 0.25
    assert seen[key("lab_load_ceiling_ratio")] == 0.5
    assert seen[key("lab_phase_info", "run-1", "flask-sync", "wait", "measured")] == 1


def test_an_unknown_ceiling_is_left_out() -> None:
    assert key("lab_load_ceiling_ratio") not in scraped(LoadCounts())


@given(st.lists(st.floats(min_value=1e-6, max_value=100), min_size=1, max_size=50))
def test_latencies_fall_in_their_buckets(latencies: list[float]) -> None:
    histogram = Histogram()
    histogram.add_seconds(latencies)
    buckets, total = exporter.prometheus_buckets(histogram)
    assert dict(buckets)["+Inf"] == len(latencies)
    assert total == pytest.approx(sum(latencies), rel=2e-3, abs=2e-6 * len(latencies))
    for bound, count in buckets[:-1]:
        surely = sum(latency < float(bound) * 0.998 - 1e-6 for latency in latencies)
        perhaps = sum(latency <= float(bound) for latency in latencies)
        assert surely <= count <= perhaps


def test_the_services_have_the_same_buckets() -> None:
    assert list(exporter.BOUNDS_S) == list(BOUNDS_S)


def test_what_a_stopped_user_had_in_hand_is_counted_apart() -> None:
    worker, master = LoadCounts(), LoadCounts()
    for abandoned in (2, 3):
        stopped = batch(latencies=())
        stopped.abandoned = abandoned
        worker.add(stopped)
        master.merge(worker.take())
    seen = scraped(master)
    assert seen[key("lab_load_abandoned_total", "flask-sync", "wait")] == 5
    assert seen[key("lab_load_requests_total", "flask-sync", "wait", "ok")] == 0


def test_the_last_seconds_of_a_service_are_shown_as_they_were() -> None:
    counts = LoadCounts()
    counts.add(batch(latencies=(0.1,) * 97 + (1.05,) * 3))
    seen = scraped(counts)
    for quantile, seconds in (("0.5", 0.1), ("0.95", 0.1), ("0.99", 1.05)):
        shown = seen[key("lab_load_recent_response_seconds", "flask-sync", quantile)]
        assert shown == pytest.approx(seconds, rel=2e-3)


def test_a_master_counts_what_its_workers_report() -> None:
    workers, master, alone = (LoadCounts(), LoadCounts()), LoadCounts(), LoadCounts()
    for round_ in range(3):
        for number, worker in enumerate(workers):
            done = batch(latencies=(0.01 * (number + 1), 0.3), errors={"timeout": round_ % 2})
            worker.add(done)
            alone.add(done)
            master.merge(worker.take())
    assert scraped(master) == scraped(alone)


def test_metrics_are_served_to_prometheus() -> None:
    server = exporter.serve(collector(LoadCounts()), 0, "127.0.0.1")
    assert server is not None
    url = f"http://127.0.0.1:{server.server_port}/metrics"
    try:
        body = gevent.get_hub().threadpool.apply(fetch, (url,))
    finally:
        server.stop()
    assert b"lab_load_users" in body


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as response:
        return bytes(response.read())


def test_a_taken_port_is_a_warning_and_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with caplog.at_level(logging.WARNING):
            assert exporter.serve(collector(LoadCounts()), port, "127.0.0.1") is None
    assert f"port {port}" in caplog.text
    assert "LAB_LOAD_METRICS_PORT" in caplog.text


@pytest.mark.parametrize("text", ["soon", "-1", "0", "nan", "inf", "1e999"])
def test_an_absurd_ceiling_is_told_and_unknown(text: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert exporter.ceiling_from({"LAB_CEILING_RPS": text}) is None
    assert f"LAB_CEILING_RPS={text!r}: give requests/s" in caplog.text


def test_a_ceiling_may_be_known_or_not(caplog: pytest.LogCaptureFixture) -> None:
    assert exporter.ceiling_from({"LAB_CEILING_RPS": "90000.5"}) == 90_000.5
    assert exporter.ceiling_from({"LAB_CEILING_RPS": ""}) is None
    assert exporter.ceiling_from({}) is None
    assert not caplog.records


@pytest.mark.parametrize("text", ["soon", "-1", "65536", "80.5"])
def test_an_absurd_port_is_told_and_nothing_is_served(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert exporter.port_from({"LAB_LOAD_METRICS_PORT": text}) is None
    assert f"LAB_LOAD_METRICS_PORT={text!r}" in caplog.text
