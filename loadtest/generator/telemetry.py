"""Joins Locust to the exporter: workers count and report, the master answers Prometheus."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, MasterRunner, WorkerRunner

from loadtest.engine.tally import Batch
from loadtest.generator import exporter
from loadtest.generator.exporter import LoadCollector, LoadCounts, Phase, ceiling_from, port_from
from loadtest.system import internals, ports

internals.check(__name__)

COUNTS_MESSAGE = "lab_load"
LIVE = "live"


class Telemetry:
    """What this Locust process tells Prometheus, or its master.

    `phase` names what the process goes through, "idle" outside of a test.
    """

    def __init__(self, environment: Environment, phase: Callable[[], str]) -> None:
        self._environment = environment
        self._phase = phase
        self._counts = LoadCounts()
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
            cpu_ratio=self._cpu_ratio,
            ceiling_ratio=self._ceiling_ratio,
            phases=self._phases,
        )

    def _report(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002
        data[COUNTS_MESSAGE] = self._counts.take()

    def _gather(self, client_id: str, data: Mapping[str, Any]) -> None:  # noqa: ARG002
        self._counts.merge(data.get(COUNTS_MESSAGE, ()))

    def _users(self) -> dict[tuple[str, str], int]:
        runner: Any = self._environment.runner
        if isinstance(runner, MasterRunner):
            counts = runner.reported_user_classes_count
        else:
            counts = runner.user_classes_count
        scenario = self._scenario()
        return {(service, scenario): count for service, count in counts.items()}

    def _phases(self) -> list[Phase]:
        runner: Any = self._environment.runner
        if runner.state not in (STATE_SPAWNING, STATE_RUNNING):
            return []
        run_id = os.environ.get("LAB_RUN_ID") or LIVE
        name = "ramp" if runner.state == STATE_SPAWNING else self._phase()
        return [Phase(run_id, service, scenario, name) for service, scenario in self._users()]

    def _scenario(self) -> str:
        options: Any = self._environment.parsed_options
        return str(options.scenario)

    def _cpu_ratio(self) -> float:
        runner: Any = self._environment.runner
        if isinstance(runner, MasterRunner):
            return max((client.cpu_usage for client in runner.clients.values()), default=0) / 100
        return float(runner.current_cpu_usage) / 100

    def _ceiling_ratio(self) -> float | None:
        if self._ceiling_rps is None:
            return None
        return float(self._environment.stats.total.current_rps) / self._ceiling_rps
