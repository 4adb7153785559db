"""docs/metrics.md names each metric of a service and of the load, and no other."""

from __future__ import annotations

import os
import re
from pathlib import Path

from prometheus_client import Metric

from lab.metrics.exporter import ServiceCollector
from lab.metrics.meters import WorkerMetrics
from lab.settings import Settings
from loadtest.generator.exporter import LoadCollector, LoadCounts
from tests.docs.pages import ROOT
from tests.services.metrics.counting import ABOUT

PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")


def listed(heading: str) -> set[str]:
    """The metrics in the table below a heading."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    cells = "\n".join(line.split(" | ")[0] for line in section.splitlines() if "|" in line)
    return set(re.findall(r"`(\w+)(?:{[^}]*})?`", cells))


def named(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def test_metrics_of_a_service(tmp_path: Path) -> None:
    worker = WorkerMetrics(Settings("service", "url", metrics_directory=tmp_path))
    worker.declare(ABOUT)
    found = ServiceCollector(tmp_path, os.getpid(), 1).collect()
    assert listed("A service") == set(map(named, found))


def test_metrics_of_the_load() -> None:
    collector = LoadCollector(
        counts=LoadCounts(),
        users=dict,
        in_flight=dict,
        waits=dict,
        cpu_ratio=lambda: 0.0,
        ceiling_ratio=lambda: 0.0,
        phases=list,
    )
    assert listed("The load") == set(map(named, collector.collect()))
