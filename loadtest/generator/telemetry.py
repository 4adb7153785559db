"""Joins Locust to the exporter: workers count and report, the master answers Prometheus."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, MasterRunner, WorkerRunner

from loadtest.engine.tally import Batch
from loadtest.generator import exporter
from loadtest.generator.exporter import LoadCollector, LoadCounts, Phase, ceiling_from, port_from
from loadtest.system import internals, ports

internals.check(__name__)

COUNTS_MESSAGE, IN_FLIGHT_MESSAGE = "lab_load", "lab_in_flight"
LIVE = "live"


class Doing(Protocol):
    """What this process does now.

    `phase` is "idle" outside of a test. `scenario` and `wait_s` (how long one of its requests holds
    a slot, None where nobody can tell) are of the last test that began: what is typed into the form
    while it runs counts from the next.
    """

    @property
    def phase(self) -> str: ...

    @property
    def scenario(self) -> str: ...

    @property
    def wait_s(self) -> float | None: ...

    def in_flight(self) -> Mapping[str, int]:
        """Requests sent and not yet answered, by service."""
        ...


class Telemetry:
    """What this Locust process tells Prometheus, or its master."""

    def __init__(self, environment: Environment, doing: Doing) -> None:
        self._environment = environment
        self._doing = doing
        self._counts = LoadCounts()
        self._of_workers: dict[str, Mapping[str, int]] = {}
        self._ceiling_rps = ceiling_from(os.environ)

    def start(self) -> None:
        """Report to the master where there is one; else answer Prometheus for all workers."""
        events: Any = self._environment.events
        if isinstance(self._environment.runner, WorkerRunner):
            events.report_to_master.add_listener(self._report)
            return
        events.worker_report.add_listener(self._gather)
        if (port := port_from(os.environ)) is not None:
            host = "0.0.0.0" if os.environ.get("LAB_BACKEND") == "compose" else ports.LOOPBACK
            exporter.serve(self.collector(), port, host)

    def observe(self, batches: Iterable[Batch]) -> None:
        """Count what the engine did."""
        for batch in batches:
            self._counts.add(batch)

    def collector(self) -> LoadCollector:
        """What a scrape asks."""
        return LoadCollector(
            counts=self._counts,
            users=self._users,
            in_flight=self._in_flight,
            waits=self._waits,
            cpu_ratio=self._cpu_ratio,
            ceiling_ratio=self._ceiling_ratio,
            phases=self._phases,
        )

    def _report(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002
        data[COUNTS_MESSAGE] = self._counts.take()
        data[IN_FLIGHT_MESSAGE] = dict(self._doing.in_flight())

    def _gather(self, client_id: str, data: Mapping[str, Any]) -> None:
        self._counts.merge(data.get(COUNTS_MESSAGE, ()))
        self._of_workers[client_id] = data.get(IN_FLIGHT_MESSAGE, {})

    def _users(self) -> dict[tuple[str, str], int]:
        runner: Any = self._environment.runner
        if isinstance(runner, MasterRunner):
            counts = runner.reported_user_classes_count
        else:
            counts = runner.user_classes_count
        return {(service, self._doing.scenario): count for service, count in counts.items()}

    def _in_flight(self) -> dict[tuple[str, str], int]:
        """Of every service that has users, or had some until the end of the test."""
        runner: Any = self._environment.runner
        if isinstance(runner, MasterRunner):
            reports = [each for name, each in self._of_workers.items() if name in runner.clients]
        else:
            reports = [self._doing.in_flight()]
        return {
            (service, scenario): sum(each.get(service, 0) for each in reports)
            for service, scenario in self._users()
        }

    def _waits(self) -> dict[tuple[str, str], float]:
        wait_s = self._doing.wait_s
        if wait_s is None or not self._runs():
            return {}
        return dict.fromkeys(self._users(), wait_s)

    def _runs(self) -> bool:
        runner: Any = self._environment.runner
        return runner.state in (STATE_SPAWNING, STATE_RUNNING)

    def _phases(self) -> list[Phase]:
        runner: Any = self._environment.runner
        if not self._runs():
            return []
        run_id = os.environ.get("LAB_RUN_ID") or LIVE
        name = "ramp" if runner.state == STATE_SPAWNING else self._doing.phase
        return [Phase(run_id, service, scenario, name) for service, scenario in self._users()]

    def _cpu_ratio(self) -> float:
        runner: Any = self._environment.runner
        if isinstance(runner, MasterRunner):
            return max((client.cpu_usage for client in runner.clients.values()), default=0) / 100
        return float(runner.current_cpu_usage) / 100

    def _ceiling_ratio(self) -> float | None:
        if self._ceiling_rps is None:
            return None
        return float(self._environment.stats.total.current_rps) / self._ceiling_rps
