"""Prometheus without Docker: the configuration of the containers with the ports of this machine."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
import yaml
from psycopg import sql

from loadtest.inventory.manifest import Service
from loadtest.system import environment, ports, urls
from loadtest.system.paths import ROOT
from loadtest.system.processes import Process, Processes, wait_until

CONFIGURATION = ROOT / "prometheus"
PROMETHEUS_PORT_VARIABLE = "PROMETHEUS_PORT"
LOAD_METRICS_PORT = ports.LOAD_METRICS
_EXPORTERS = ("prometheus-postgres-exporter", "postgres_exporter")


def installed() -> bool:
    """Whether a Prometheus binary is on the path; without one the lab runs, unwatched."""
    return shutil.which("prometheus") is not None


def exporter_installed() -> bool:
    """Whether postgres_exporter is on the path, under its own name or Debian's."""
    return _exporter() is not None


def configuration(
    services: Mapping[str, Service],
    port: int,
    *,
    load_port: int = LOAD_METRICS_PORT,
    postgres_port: int | None = None,
    path: Path = CONFIGURATION / "prometheus.yml",
) -> dict[str, Any]:
    """The document of `path` with targets on the loopback: `services`, the load side on
    `load_port`,
    postgres_exporter on `postgres_port` where it runs, and Prometheus itself on `port`."""
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    targets = {
        "services": [
            _target(service.metrics_port, service=name) for name, service in services.items()
        ],
        "load": [_target(load_port)],
        "postgres": [_target(postgres_port)] if postgres_port else [],
        "prometheus": [_target(port)],
    }
    document["rule_files"] = [str(path.parent / name) for name in document["rule_files"]]
    document["scrape_configs"] = [
        job | {"static_configs": targets[job["job_name"]]}
        for job in document["scrape_configs"]
        if targets.get(job["job_name"])
    ]
    return document


class Prometheus:
    """A running Prometheus that scrapes `services`; entering the context returns once it is ready.

    Data, log and configuration are under `state`. `postgres_port` is where postgres_exporter
    answers, None where there is none. Raises PortError and ProcessError.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        state: Path,
        port: int,
        *,
        load_port: int = LOAD_METRICS_PORT,
        postgres_port: int | None = None,
    ) -> None:
        self.url = f"http://{ports.LOOPBACK}:{port}"
        self._port = port
        self._state = state / "prometheus"
        self._configuration = configuration(
            services, port, load_port=load_port, postgres_port=postgres_port
        )
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Prometheus:
        self._state.mkdir(parents=True, exist_ok=True)
        path = self._state / "prometheus.yml"
        path.write_text(yaml.safe_dump(self._configuration, sort_keys=False))
        with contextlib.ExitStack() as stack:
            stack.enter_context(ports.claim(self._port, "Prometheus", PROMETHEUS_PORT_VARIABLE))
            processes = stack.enter_context(Processes())
            process = processes.start(
                "prometheus",
                [
                    "prometheus",
                    f"--config.file={path}",
                    f"--storage.tsdb.path={self._state}/data",
                    "--storage.tsdb.retention.time=1d",
                    f"--web.listen-address={ports.LOOPBACK}:{self._port}",
                    "--log.level=warn",
                ],
                log=self._state / "prometheus.log",
                cwd=self._state,
                environment=environment.plain(),
            )
            _wait(process, f"{self.url}/-/ready")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)


@contextlib.contextmanager
def postgres_exporter(database_url: str, state: Path, port: int) -> Iterator[None]:
    """Run postgres_exporter on `port` as the role `monitor`, whose password is drawn anew.

    `database_url` is that of a superuser, with its password. Raises ProcessError.
    """
    password = secrets.token_urlsafe(24)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER ROLE monitor PASSWORD {}").format(password))
        info = connection.info
        source = f"{info.host}:{info.port}/{info.dbname}?sslmode=disable"
    (state / "prometheus").mkdir(parents=True, exist_ok=True)
    with Processes() as processes:
        process = processes.start(
            "postgres_exporter",
            [
                _exporter() or _EXPORTERS[0],
                f"--web.listen-address={ports.LOOPBACK}:{port}",
                f"--extend.query-path={CONFIGURATION / 'postgres-queries.yml'}",
                "--log.level=warn",
            ],
            log=state / "prometheus" / "postgres-exporter.log",
            cwd=state,
            environment=environment.plain()
            | {"DATA_SOURCE_URI": source, "DATA_SOURCE_USER": "monitor"}
            | {"DATA_SOURCE_PASS": password},
        )
        _wait(process, f"http://{ports.LOOPBACK}:{port}/metrics")
        yield


def _target(port: int, **labels: str) -> dict[str, Any]:
    target: dict[str, Any] = {"targets": [f"{ports.LOOPBACK}:{port}"]}
    return target | ({"labels": labels} if labels else {})


def _exporter() -> str | None:
    return next(filter(None, map(shutil.which, _EXPORTERS)), None)


def _wait(process: Process, url: str) -> None:
    wait_until(process, lambda: urls.answers(url), waiting_for="answer")
