"""Every service shows the same series and true percentiles, whatever its language."""

from __future__ import annotations

import time
import urllib.request
from collections import defaultdict

from prometheus_client.parser import text_string_to_metric_families

from loadtest.generator.exporter import BOUNDS_S
from loadtest.inventory.manifest import Service
from tests.native.live.watch import SERIES
from tests.waiting import eventually

HISTOGRAMS = [name for name in SERIES if name.endswith("_bucket")]
WAIT_MS = 100
KINDS = {"event_loop", "thread", "greenlet", "go_scheduler"}


def samples(url: str) -> dict[str, list[dict[str, str]]]:
    """The label sets of each series that a service shows."""
    found = defaultdict(list)
    with urllib.request.urlopen(url, timeout=20) as response:
        for family in text_string_to_metric_families(response.read().decode()):
            for sample in family.samples:
                found[sample.name].append(sample.labels)
    return found


def test_a_service_shows_every_series(service: Service) -> None:
    shown: dict[str, list[dict[str, str]]] = {}

    def every_series() -> bool:
        """Asked anew each time: some series are of the last ten seconds alone."""
        fetch(f"{service.url()}/items/7")
        shown.update(samples(service.metrics_url()))
        return shown.keys() >= SERIES.keys()

    assert eventually(every_series), sorted(SERIES.keys() - shown.keys())
    for series, labels in SERIES.items():
        for each in shown[series]:
            assert set(each) == labels, series
    for series in HISTOGRAMS:
        bounds = {float(each["le"]) for each in shown[series]}
        assert bounds == {*BOUNDS_S, float("inf")}
    assert {each["state"] for each in shown["db_client_connection_count"]} == {"used", "idle"}
    assert {each["kind"] for each in shown["lab_scheduling_lag_seconds"]} <= KINDS
    assert "/items/{id}" in {
        each["http_route"] for each in shown["http_server_request_duration_seconds_count"]
    }
    assert_known_wait_shows(service)


def assert_known_wait_shows(service: Service) -> None:
    """Among its percentiles, between what Postgres takes and what the client saw."""
    figures: list[float] = []
    client_s = 0.0

    def between() -> bool:
        nonlocal client_s
        begin = time.monotonic()
        fetch(f"{service.url()}/wait?ms={WAIT_MS}")
        client_s = max(client_s, time.monotonic() - begin)
        figures[:] = longest(fetch(service.metrics_url()))
        return bool(figures) and WAIT_MS / 1000 <= figures[0] <= 1.03 * client_s

    assert eventually(between, every_s=0.5), (figures, client_s)


def longest(metrics: str) -> list[float]:
    """The p99 of the last ten seconds, where there is one."""
    return [
        sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == "lab_recent_request_duration_seconds"
        and sample.labels == {"quantile": "0.99"}
    ]


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as response:
        return str(response.read(), "utf-8")
