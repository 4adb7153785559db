"""A worker that counts into a folder, and who reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.metrics.exporter import Workers
from lab.metrics.meters import WorkerMetrics
from lab.settings import Settings
from tests.services.metrics.counting import ABOUT


@pytest.fixture
def worker(tmp_path: Path) -> WorkerMetrics:
    return WorkerMetrics(Settings("service", "url", metrics_directory=tmp_path))


@pytest.fixture
def workers(tmp_path: Path, worker: WorkerMetrics) -> Workers:
    worker.declare(ABOUT)
    return Workers(tmp_path)
