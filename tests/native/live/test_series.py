"""Every service shows the same series with the same labels and buckets, whatever its language."""

from __future__ import annotations

import urllib.request
from collections import defaultdict

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtest.backends.native import Lab
from loadtest.generator.exporter import BOUNDS_S
from loadtest.inventory import manifest
from tests.native.live.watch import SERIES
from tests.waiting import eventually

HISTOGRAMS = [name for name in SERIES if name.endswith("_bucket")]
KINDS = {"event_loop", "thread", "greenlet", "go_scheduler"}


def samples(url: str) -> dict[str, list[dict[str, str]]]:
    """The label sets of each series that a service shows."""
    found = defaultdict(list)
    with urllib.request.urlopen(url, timeout=20) as response:
        for family in text_string_to_metric_families(response.read().decode()):
            for sample in family.samples:
                found[sample.name].append(sample.labels)
    return found


@pytest.mark.parametrize("name", manifest.load(variables={}))
def test_a_service_shows_every_series(lab: Lab, name: str) -> None:
    service = lab.services[name]
    with urllib.request.urlopen(f"{service.url()}/items/7", timeout=10) as response:
        assert response.status == 200
    assert eventually(lambda: samples(service.metrics_url()).keys() >= SERIES.keys()), sorted(
        SERIES.keys() - samples(service.metrics_url()).keys()
    )
    shown = samples(service.metrics_url())
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
