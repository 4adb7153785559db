"""The live lab without Docker: services, Locust's UI and, where it is installed, Prometheus."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from loadtest.backends import prometheus
from loadtest.backends.native import Lab
from loadtest.errors import LabError
from loadtest.system import environment, ports, urls
from loadtest.system.paths import LOCUSTFILE
from loadtest.system.ports import PROMETHEUS_VARIABLE
from loadtest.system.processes import Process, Processes, wait_until

UI_PORT_VARIABLE, UI_PORT = "LOCUST_PORT", 8089
LOAD_PORT_VARIABLE = "LAB_LOAD_METRICS_PORT"
PROMETHEUS_PORT = 9090


class LabStopped(LabError):
    """A part of the live lab ended by itself; the message says which and where its log is."""


@dataclass(frozen=True)
class Live:
    """Where the parts can be opened, and in `missing` what is not there and how to have it."""

    locust: Process
    ui: str
    prometheus: str | None
    missing: tuple[str, ...]


@contextlib.contextmanager
def up(lab: Lab) -> Iterator[Live]:
    """Run Locust's UI over the running `lab` until the block is left."""
    ui_port = ports.from_environment(UI_PORT_VARIABLE, UI_PORT)
    load_port = ports.from_environment(LOAD_PORT_VARIABLE, prometheus.LOAD_METRICS_PORT)
    with contextlib.ExitStack() as stack:
        stack.enter_context(ports.claim(ui_port, "Locust's UI", UI_PORT_VARIABLE))
        # Where another lab's load answers, Prometheus would show that one for this one.
        stack.enter_context(ports.claim(load_port, "the load's metrics", LOAD_PORT_VARIABLE))
        url, missing = _prometheus(stack, lab, load_port)
        processes = stack.enter_context(Processes())
        locust = _locust(processes, lab, ui_port, load_port, url)
        ui = f"http://{ports.LOOPBACK}:{ui_port}"
        wait_until(locust, lambda: urls.answers(ui), waiting_for="UI")
        yield Live(locust, ui, url, missing)


def _locust(
    processes: Processes, lab: Lab, ui_port: int, load_port: int, prometheus_url: str | None
) -> Process:
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE)]
    options = ["--class-picker", "--web-host", ports.LOOPBACK, "--web-port", str(ui_port)]
    folder = lab.state / "locust"  # its own, where no configuration lies
    folder.mkdir(parents=True, exist_ok=True)
    return processes.start(
        "locust",
        [*command, *options],
        log=lab.state / "logs" / "locust.log",
        cwd=folder,
        environment=environment.locust(folder)
        | {LOAD_PORT_VARIABLE: str(load_port)}
        | {PROMETHEUS_VARIABLE: prometheus_url or ""},
        cpus=lab.cpus.load,
    )


def _prometheus(
    stack: contextlib.ExitStack, lab: Lab, load_port: int
) -> tuple[str | None, tuple[str, ...]]:
    """Start what is installed of Prometheus and its Postgres exporter, and say what is not."""
    grafana = "Grafana: comes with Docker only (make up)"
    if not prometheus.installed():
        return None, ("Prometheus: not installed (Debian: apt install prometheus)", grafana)
    missing = [grafana]
    exporter_port = None
    if prometheus.exporter_installed():
        [exporter_port] = stack.enter_context(ports.held(1))
        stack.enter_context(
            prometheus.postgres_exporter(lab.database_url, lab.state, exporter_port)
        )
    else:
        missing.append(
            "Postgres metrics: postgres_exporter is not installed "
            "(Debian: apt install prometheus-postgres-exporter)"
        )
    running = prometheus.Prometheus(
        lab.services,
        lab.state,
        ports.from_environment(prometheus.PROMETHEUS_PORT_VARIABLE, PROMETHEUS_PORT),
        load_port=load_port,
        postgres_port=exporter_port,
    )
    return stack.enter_context(running).url, tuple(missing)
