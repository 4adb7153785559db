"""Whoever watches may die or hang: load and services go on, and no count is lost meanwhile."""

from __future__ import annotations

import contextlib
import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from loadtest.backends.prometheus import Prometheus
from loadtest.inventory import manifest
from loadtest.system import ports
from tests.native.live.watch import Watch
from tests.waiting import eventually, gone

SERVICES = ("fastapi-async", "flask-gthread")
LOAD = {"scenario": "wait", "parameters": "ms=50", "load": "closed"}
USERS = 16
TOTALS = ("lab_load_requests_total", "http_server_request_duration_seconds_count")


@dataclass
class Watcher:
    """A Prometheus over two of the lab's services and the load, which can go and come back."""

    prometheus: Prometheus
    state: Path

    def process(self) -> psutil.Process:
        (found,) = [each for each in psutil.process_iter() if self._is(each)]
        return found

    def _is(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            return words[:1] == ["prometheus"] and str(self.state) in " ".join(words)
        return False


@pytest.fixture
def load_port(watch: Watch) -> int:
    (load,) = watch.query('up{job="load"}')
    return int(load["metric"]["instance"].rpartition(":")[2])


@pytest.fixture
def watcher(watch: Watch, load_port: int, tmp_path: Path) -> Watcher:
    services = {name: watch.lab.services[name] for name in SERVICES}
    (port,) = ports.free(1)
    return Watcher(Prometheus(services, tmp_path, port, load_port=load_port), tmp_path)


@pytest.fixture
def seen(watch: Watch, watcher: Watcher) -> Watch:
    """The lab under load, as the watcher sees it."""
    assert watch.start(*SERVICES, users=USERS, **LOAD)["success"]
    return replace(watch, prometheus=watcher.prometheus.url)


def test_a_prometheus_that_dies_is_not_missed(watch: Watch, seen: Watch, watcher: Watcher) -> None:
    begin = time.time()
    with watcher.prometheus:
        until_scraped(seen)
        victim = watcher.process()
        victim.kill()
        assert eventually(lambda: gone(victim.pid))
        undisturbed(seen)
    with watcher.prometheus:
        nothing_is_lost(seen, watch, begin)


def test_a_prometheus_that_hangs_holds_nobody_up(
    watch: Watch, seen: Watch, watcher: Watcher, load_port: int
) -> None:
    begin = time.time()
    metrics = [watch.lab.services[name].metrics_port for name in SERVICES]
    with watcher.prometheus:
        until_scraped(seen)
        hanging = watcher.process()
        hanging.suspend()
        try:
            assert eventually(lambda: hanging.status() == psutil.STATUS_STOPPED)
            with half_asked([*metrics, load_port]):
                undisturbed(seen)
        finally:
            hanging.resume()
        nothing_is_lost(seen, watch, begin)


@contextlib.contextmanager
def half_asked(targets: list[int]) -> Iterator[None]:
    """Connections as a scraper leaves them that hangs, or is cut off, while it asks or is told."""
    with contextlib.ExitStack() as stack:
        for target in targets * 4:
            for words in (b"", b"GET /metrics HTTP/1.1\r\n", b"GET /metrics HTTP/1.1\r\n\r\n"):
                connection = stack.enter_context(socket.create_connection((ports.LOOPBACK, target)))
                connection.sendall(words)
        yield


def until_scraped(watch: Watch) -> None:
    """Wait until the services and the load have been scraped from now on."""
    last = f'timestamp(up{{job=~"services|load"}} == 1) > {time.time()}'
    assert eventually(lambda: watch.number(f"count({last})") == len(SERVICES) + 1)


def undisturbed(watch: Watch) -> None:
    """Both services go on answering the load rightly, and tell about themselves."""
    before = {name: watch.requests(name) for name in SERVICES}
    for name in SERVICES:
        assert eventually(lambda name=name: watch.requests(name) > before[name] + 200), name  # type: ignore[misc]
        service = watch.lab.services[name]
        with urllib.request.urlopen(f"{service.url()}/about", timeout=10) as response:
            assert json.load(response)["slots"] > 0
        with urllib.request.urlopen(service.metrics_url(), timeout=10) as response:
            assert b"http_server_active_requests" in response.read()
    assert not any(each["num_failures"] for each in watch.statistics()["stats"])


def nothing_is_lost(seen: Watch, watch: Watch, begin: float) -> None:
    """Counters go on where they are, and in the end are those of a Prometheus that stayed."""
    until_scraped(seen)
    counters = seen.counters('{job=~"services|load"}', begin)
    assert {series.labels.get("service") for series in counters} >= set(SERVICES)
    for series in counters:
        assert all(a <= b for a, b in pairwise(series.values)), series
    watch.press_stop()
    for expression in TOTALS:
        counted = f'sum({expression}{{service=~"{"|".join(SERVICES)}"}})'
        assert eventually(lambda wanted=counted: seen.number(wanted) == watch.number(wanted) > 0)  # type: ignore[misc]


def test_nothing_that_loads_or_serves_needs_a_watcher() -> None:
    services = manifest.read_compose(manifest.COMPOSE_FILE, {})["services"]

    def needed(name: str) -> set[str]:
        direct = set(services[name].get("depends_on", ()))
        return direct.union(*map(needed, direct))

    watchers = {"prometheus", "grafana", "postgres-exporter", "cadvisor"}
    assert watchers <= set(services)
    for name in set(services) - watchers:
        assert not needed(name) & watchers, name
