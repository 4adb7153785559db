"""`python -m lab.healthcheck`."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from lab import healthcheck
from lab.metrics.exporter import ServiceCollector
from lab.metrics.meters import WorkerMetrics
from lab.settings import Settings
from loadtest.backends.native import Lab
from loadtest.system import ports
from tests.services.holding import Busy, ask, held
from tests.services.metrics.counting import application, environ


@contextmanager
def answering(status: int, metrics: bytes = b"") -> Iterator[int]:
    """A server with that status of readiness and these metrics, on the port that it yields."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response({"/readyz": status, "/metrics": 200}.get(self.path, 404))
            self.end_headers()
            self.wfile.write(metrics)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "memory"


def test_ready(memory: Path) -> None:
    with answering(200) as port:
        assert healthcheck.check(port, port, memory) == ""


def test_unready_says_so(memory: Path) -> None:
    with answering(503) as port:
        assert "503" in healthcheck.check(port, port, memory)


def test_nobody_there_is_unhealthy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (port,) = ports.free(1)
    monkeypatch.setenv("PORT", str(port))
    assert healthcheck.main() == 1
    assert str(port) in capsys.readouterr().err


def test_a_service_that_is_full_is_healthy_as_long_as_it_answers(
    lab: Lab, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(healthcheck, "READY_TIMEOUT_S", 0.3)
    monkeypatch.setattr(healthcheck, "COUNT_TIMEOUT_S", 20.0)
    service = lab.services["flask-sync"]
    slots = json.loads(ask(service, "/about").body)["slots"]

    def check() -> str:
        return healthcheck.check(service.port, service.metrics_port, memory)

    with psycopg.connect(lab.database_url, autocommit=True) as database:
        busy = Busy(database, service)
        with held(service, slots, lab.database_url):
            assert busy.reaches(slots)
            assert "timed out" in check()
            assert "timed out" in check()
        with held(service, slots, lab.database_url):
            assert busy.reaches(slots)
            assert check() == ""
            assert "timed out" in check()


def test_failures_are_no_answers(tmp_path: Path) -> None:
    worker = WorkerMetrics(Settings("service", "url", metrics_directory=tmp_path))
    for status in ("200 OK", "201 Created", "404 Not Found", "503 Service Unavailable"):
        worker.wsgi(application)(environ("/items/1", status), lambda *_: None)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector(tmp_path, os.getpid(), 1))
    with answering(200, generate_latest(registry)) as port:
        assert healthcheck.answered(port) == 3
