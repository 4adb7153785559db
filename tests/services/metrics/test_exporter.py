"""What Prometheus sees of a service."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from lab.metrics.exporter import ServiceCollector
from lab.metrics.meters import WorkerMetrics
from lab.settings import Settings
from tests.services.metrics.counting import ABOUT, application, environ

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(directory: Path, port: int = 1) -> Samples:
    """Every sample of one scrape by name and labels."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector(directory, os.getpid(), port))
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    worker = WorkerMetrics(Settings("service", "url", metrics_directory=tmp_path))
    worker.declare(ABOUT)
    worker.pool.taken(worker.pool.waiting())
    for _ in range(3):
        worker.wsgi(application)(environ("/json"), lambda *_: None)
    return scrape(tmp_path)


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_requests_are_a_histogram(samples: Samples) -> None:
    labels = {
        "http_request_method": "GET",
        "http_route": "/json",
        "http_response_status_code": "200",
    }
    name = "http_server_request_duration_seconds"
    assert value(samples, f"{name}_count", **labels) == 3
    assert value(samples, f"{name}_bucket", le="+Inf", **labels) == 3
    assert sum(found == f"{name}_bucket" and labels.items() <= own for found, own in samples) == 14


def test_slots_pool_and_processes_are_shown(samples: Samples) -> None:
    assert value(samples, "lab_slots") == 2
    assert value(samples, "lab_slots_busy") == 1
    assert value(samples, "db_client_connection_max") == 2
    assert value(samples, "db_client_connection_count", state="used") == 1
    assert value(samples, "db_client_connection_wait_time_seconds_count") == 1
    assert value(samples, "lab_worker_requests_total", worker=str(os.getpid())) == 3
    assert value(samples, "lab_workers_ended_total") == 0
    assert value(samples, "lab_process_cpu_seconds_total") > 0
    assert value(samples, "lab_process_pss_bytes") > 1_000_000
    assert value(samples, "lab_threads") >= 1
    assert value(samples, "lab_processes") >= 1


def test_build_is_named(samples: Samples) -> None:
    (labels,) = [dict(own) for name, own in samples if name == "lab_build_info"]
    assert labels == {
        "framework": "Toy",
        "server": "none",
        "model": "threads",
        "language": "Python",
        "language_version": "3",
    }


def test_connections_that_nobody_accepts_are_the_backlog(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        assert value(scrape(tmp_path, port), "lab_accept_backlog") == 3
        for connection in waiting:
            connection.close()


def test_a_worker_that_has_ended_is_counted_once(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        worker = WorkerMetrics(Settings("service", "url", metrics_directory=tmp_path))
        worker.wsgi(application)(environ("/json"), lambda *_: None)
        os._exit(0)
    os.waitpid(child, 0)
    collector = ServiceCollector(tmp_path, os.getpid(), 1)
    for _ in range(3):
        found = {family.name: family.samples for family in collector.collect()}
        shares = [(s.labels["worker"], s.value) for s in found["lab_worker_requests"]]
        assert shares == [(str(child), 1)]
        assert [s.value for s in found["lab_workers_ended"]] == [1]


def test_service_without_workers_yet_is_no_error(tmp_path: Path) -> None:
    assert value(scrape(tmp_path), "http_server_active_requests") == 0
