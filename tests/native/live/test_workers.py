"""A Locust master with workers, as `docker compose up --scale locust-worker=2` has them."""

from __future__ import annotations

import os
import signal
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtest.backends.native import Lab
from loadtest.system import ports
from loadtest.system.paths import LOCUSTFILE, ROOT
from loadtest.system.processes import Process, Processes
from tests.native.live.watch import Watch
from tests.waiting import eventually, gone

SERVICE = "fastapi-async"
LOAD = {"scenario": "wait", "parameters": "ms=20", "load": "closed"}


@dataclass
class Swarm:
    """A master's interface and metrics, and its workers."""

    watch: Watch
    metrics: str
    processes: Processes
    environment: dict[str, str]
    folder: Path
    bind: int
    workers: list[Process]

    def locust(self, name: str, *options: str) -> Process:
        command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE)]
        return self.processes.start(
            name,
            [*command, *options],
            log=self.folder / f"{name}.log",
            cwd=ROOT,
            environment=self.environment,
        )

    def join(self) -> None:
        """One more worker."""
        options = ["--worker", "--master-port", str(self.bind)]
        self.workers.append(self.locust(f"worker-{len(self.workers)}", *options))

    def ready(self, workers: int) -> bool:
        found = [each["state"] for each in self.watch.statistics()["workers"]]
        return sum(state in ("ready", "running", "spawning") for state in found) == workers

    def start(self, users: int, **fields: str) -> None:
        """Press Start, and wait until every worker says that it runs: Locust sends one away that
        says so after Stop.
        """
        assert self.watch.start(SERVICE, users=users, **fields)["success"]
        assert eventually(
            lambda: {each["state"] for each in self.watch.statistics()["workers"]} == {"running"}
        )

    def agrees(self, name: str, before: float) -> bool:
        """Whether the samples called `name` have grown by what the statistics table shows."""
        return self.sample(name, service=SERVICE) - before == self.watch.requests(SERVICE)

    def await_reports(self) -> None:
        """Wait until each of two workers has reported: they take turns, so four reports do."""
        seen: set[float] = set()

        def enough() -> bool:
            seen.add(self.sample("lab_load_requests_total", service=SERVICE))
            return len(seen) > 4

        assert eventually(enough)

    def sample(self, name: str, **labels: str) -> float:
        """Sum of the master's samples called `name` with these labels."""
        with urllib.request.urlopen(self.metrics, timeout=20) as response:
            text = response.read().decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@pytest.fixture(scope="module")
def running(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    ui, bind, metrics = ports.free(3)
    folder = tmp_path_factory.mktemp("swarm")
    environment = dict(os.environ) | {
        "LAB_LOAD_METRICS_PORT": str(metrics),
        "LAB_TARGET": f"{SERVICE}={lab.services[SERVICE].url()}",
    }
    with Processes() as processes:
        url = f"http://{ports.LOOPBACK}:{ui}"
        watch = Watch(ui=url, prometheus="", lab=lab)
        metrics_url = f"http://{ports.LOOPBACK}:{metrics}/metrics"
        swarm = Swarm(watch, metrics_url, processes, environment, folder, bind, [])
        options = ["--master", "--master-bind-port", str(bind), "--enable-rebalancing"]
        options += ["--class-picker", "--web-host", ports.LOOPBACK, "--web-port", str(ui)]
        swarm.locust("master", *options)
        swarm.join()
        swarm.join()
        assert eventually(watch.answers)
        yield swarm


@pytest.fixture
def swarm(running: Swarm) -> Iterator[Swarm]:
    """With two workers and no load."""
    assert eventually(lambda: running.ready(2))
    yield running
    running.watch.press_stop()


def test_the_master_counts_for_all_its_workers(swarm: Swarm) -> None:
    counters = ("lab_load_requests_total", "lab_load_response_seconds_count")
    before = {name: swarm.sample(name, service=SERVICE) for name in counters}
    swarm.start(10, **LOAD)
    assert eventually(lambda: swarm.watch.requests(SERVICE) > 500)
    assert eventually(
        lambda: swarm.sample("lab_load_users", service=SERVICE, scenario="wait") == 10
    )
    assert eventually(
        lambda: swarm.sample("lab_load_in_flight", service=SERVICE, scenario="wait") == 10
    )
    assert swarm.sample("lab_load_wait_seconds", service=SERVICE) == 0.02
    assert swarm.sample("lab_phase_info", service=SERVICE, phase="load") == 1
    swarm.watch.press_stop()
    for name in counters:
        assert eventually(lambda name=name: swarm.agrees(name, before[name])), name  # type: ignore[misc]


def test_a_change_of_scenario_reaches_every_worker(swarm: Swarm) -> None:
    swarm.start(2, **LOAD)
    assert eventually(lambda: swarm.watch.requests(SERVICE) > 50)
    swarm.watch.press_stop()
    before = swarm.sample("lab_load_requests_total", scenario="wait")
    swarm.start(2, scenario="json", parameters="", load="closed")
    swarm.await_reports()
    assert swarm.sample("lab_load_requests_total", scenario="wait") == before
    assert eventually(lambda: swarm.watch.names() == {f"{SERVICE} /json", "Aggregated"})


def test_a_worker_may_die_and_another_join_late(swarm: Swarm) -> None:
    swarm.start(10, **LOAD)
    assert eventually(lambda: swarm.watch.requests(SERVICE) > 200)
    swarm.workers[0].popen.send_signal(signal.SIGKILL)
    assert eventually(lambda: gone(swarm.workers[0].pid))
    assert eventually(lambda: swarm.ready(1)), "the interface shows that it is missing"
    assert eventually(lambda: swarm.sample("lab_load_users", service=SERVICE) == 10)
    swarm.join()
    assert eventually(lambda: swarm.ready(2))
    counted = swarm.sample("lab_load_requests_total", service=SERVICE)
    assert eventually(
        lambda: swarm.sample("lab_load_requests_total", service=SERVICE) > counted + 500, 40
    )
    assert eventually(lambda: swarm.sample("lab_load_users", service=SERVICE) == 10)
    assert swarm.watch.names() == {f"{SERVICE} /wait", "Aggregated"}, "it does what the others do"
