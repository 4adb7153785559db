"""Locust's web interface while the engine runs: it answers, and counts each request once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadtest.run.ceiling import nullserver
from loadtest.system.paths import LOCUSTFILE, ROOT
from loadtest.system.ports import free
from loadtest.system.processes import Process, Processes, wait_until

USERS = 8


@pytest.fixture
def null_server(tmp_path: Path) -> Iterator[str]:
    with nullserver.running(tmp_path, nginx=None) as url:
        yield url


def get(url: str, data: bytes | None = None) -> dict[str, Any]:
    with urllib.request.urlopen(url, data, timeout=20) as response:
        found: dict[str, Any] = json.load(response)
    return found


def numbers(ui: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in get(f"{ui}/stats/requests")["stats"]}


def reachable(ui: str, at_least: int) -> bool:
    try:
        return numbers(ui)["Aggregated"]["num_requests"] > at_least  # type: ignore[no-any-return]
    except OSError:
        return False


def has_stopped(ui: str) -> bool:
    return get(f"{ui}/stats/requests")["state"] in ("stopped", "ready")


@pytest.mark.parametrize("processes", [(), ("--processes=2",)], ids=["alone", "with workers"])
def test_each_request_is_counted_once(
    null_server: str, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    before = nullserver.served(null_server)
    with loading(null_server, tmp_path, processes) as (locust, ui):
        wait_until(locust, lambda: reachable(ui, 2000), timeout_s=60, waiting_for="requests")
        asked = time.monotonic()
        running = get(f"{ui}/stats/requests")
        assert time.monotonic() - asked < 5  # busy, yet not deaf
        assert running["user_count"] == USERS
        get(f"{ui}/stop", b"")
        wait_until(locust, lambda: has_stopped(ui), timeout_s=60, waiting_for="stop")
        served = nullserver.served(null_server) - before - 1  # one asks for the count
        # The workers' last report may still be on its way.
        wait_until(
            locust,
            lambda: reachable(ui, served - USERS - 1),
            timeout_s=60,
            waiting_for=f"{served} requests",
        )
        counted = numbers(ui)
    assert served - USERS <= counted["Aggregated"]["num_requests"] <= served
    assert_told_of(counted)


def test_a_load_without_a_page_that_cannot_be_made_is_refused_in_one_line() -> None:
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless"]
    done = subprocess.run(
        [*command, "--scenario=request", "--request-headers=bad", "mine"],
        cwd=ROOT,
        env={**os.environ, "LAB_TARGET": "mine=http://127.0.0.1:9", "LAB_LOAD_METRICS_PORT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "locust: Request headers: write NAME: VALUE" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def assert_told_of(counted: Mapping[str, Mapping[str, Any]]) -> None:
    """Each request is in both rows, and none failed."""
    assert counted["Aggregated"]["num_requests"] == counted["scripted /json"]["num_requests"]
    assert counted["Aggregated"]["num_failures"] == 0
    assert counted["scripted /json"]["avg_content_length"] == 27
    assert counted["scripted /json"]["response_time_percentile_0.95"] > 0


@contextmanager
def loading(
    null_server: str, folder: Path, processes: tuple[str, ...]
) -> Iterator[tuple[Process, str]]:
    """Locust under load, and the URL of its interface."""
    (port, metrics, master) = free(3)
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--autostart"]
    command += [f"--web-port={port}", "--web-host=127.0.0.1", f"--users={USERS}", "--spawn-rate=99"]
    command += ["--scenario=json", "--load=closed", *processes, "scripted"]
    if processes:
        command += [f"--master-bind-port={master}", f"--master-port={master}"]
    environment = {
        **os.environ,
        "LAB_TARGET": f"scripted={null_server}",
        "LAB_LOAD_METRICS_PORT": str(metrics),
    }
    with Processes() as children:
        log = folder / "log"
        locust = children.start("locust", command, log=log, cwd=ROOT, environment=environment)
        yield locust, f"http://127.0.0.1:{port}"
