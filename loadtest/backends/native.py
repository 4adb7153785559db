"""The lab without Docker: Postgres and the services as processes, run by their compose commands."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from loadtest.backends import account, postgres
from loadtest.backends.base import POOLER, POSTGRES
from loadtest.backends.pooler import pgbouncer
from loadtest.backends.pooler.pgbouncer import PgBouncer
from loadtest.backends.postgres import Database
from loadtest.backends.readiness import ready
from loadtest.inventory import builds, free_threaded, pooling
from loadtest.inventory.builds import BuildError
from loadtest.inventory.manifest import Service
from loadtest.model.experiment import CORES
from loadtest.system import environment, ports
from loadtest.system.cpus import Cpus
from loadtest.system.paths import ROOT
from loadtest.system.processes import Process, ProcessError, Processes, wait_until

RESTART_GRACE_S = 3.0


def state_directory() -> Path:
    """Where native mode keeps its data and logs: LAB_STATE, else `.lab` in the clone."""
    return Path(os.environ.get("LAB_STATE") or ROOT / ".lab").absolute()


def require(state: Path, *, pooled: bool = False) -> None:
    """Raise, before anything is made, where a lab with its data under `state` could not run.

    `pooled`: services are behind a pooler. AccountError, PostgresError or PoolerError.
    """
    account.require()
    postgres.require(state)
    if pooled:
        pgbouncer.require()


class Lab:
    """Postgres and `services`, running and ready inside the `with` block; nothing is left after it.

    `services` of the running lab carry the ports that are really used. With `host_ports="free"`
    every port is one that is free now, so that several labs can run side by side. `environment`
    is added to every service's own. `begin` names those that start at once, by default all; `start`
    starts others. Postgres allows as many `connections`, by default what the environment says.
    Raises AccountError, PortError, PostgresError, BuildError or ProcessError; where `failures` is
    given, a service that can't be built or started is left out instead, and the reason is put there
    under its name.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        *,
        host_ports: Literal["declared", "free"] = "declared",
        state: Path | None = None,
        environment: Mapping[str, str] | None = None,
        pin: bool = True,
        failures: dict[str, str] | None = None,
        begin: Collection[str] | None = None,
        connections: int | None = None,
    ) -> None:
        self.name = "native"
        self.services = dict(services)
        self.state = state or state_directory()
        self.cpus = Cpus.split() if pin else Cpus(None, None)
        self._environment = dict(environment or {})
        self._failures = failures
        self._begin = tuple(services if begin is None else begin)
        self._free = host_ports == "free"
        self._connections = connections
        self._processes = Processes()
        self._services: dict[str, Process] = {}
        self._stack = contextlib.ExitStack()
        self._database: Database | None = None
        self._pooler: PgBouncer | None = None
        self._pooler_port = 0

    def __enter__(self) -> Lab:
        with contextlib.ExitStack() as stack:
            account.require()
            postgres_port = self._choose_ports(stack)
            stack.enter_context(self._processes)
            stack.callback(self._stop_services)
            self._database = postgres.start(
                self._processes,
                self.state,
                port=postgres_port,
                cpus=self.cpus.load,
                connections=self._connections,
            )
            self._start_first()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def database(self) -> Database:
        """The running Postgres."""
        assert self._database is not None, "enter the context first"
        return self._database

    @property
    def database_url(self) -> str:
        """Where the lab's own tools connect to Postgres, with the password."""
        return self.database.full_url

    def alive(self, name: str) -> bool:
        """Whether the service's process still runs."""
        return name in self._services and self._services[name].popen.poll() is None

    def roots(self) -> Mapping[str, int]:
        """Root of the process tree of each service that runs, of Postgres, and of a pooler."""
        found = {name: process.pid for name, process in self._services.items()}
        if self._pooler:
            found[POOLER] = self._pooler.process.pid
        return found | {POSTGRES: self.database.process.pid}

    def pid(self, name: str) -> int:
        """Root of the process tree that serves the service."""
        return self._services[name].pid

    def log(self, name: str) -> Path:
        """Where the service's output goes."""
        return self.state / "logs" / f"{name}.log"

    def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Stop the service and start it again, with `environment` over its declared one.

        What it still has in hand nobody waits for: it is not given long to work it off.
        """
        if name in self._services:
            self._processes.stop(self._services.pop(name), grace_s=RESTART_GRACE_S)
        self._spawn(self.services[name], environment)
        self._await(self.services[name])

    def stop(self, name: str) -> None:
        """Stop the service by SIGTERM."""
        self._processes.stop(self._services.pop(name))

    def _stop_services(self) -> None:
        self._processes.stop(*self._services.values())

    def _choose_ports(self, stack: contextlib.ExitStack) -> int:
        """Give every service its ports, for as long as `stack` is open; returns Postgres' port."""
        [self._pooler_port] = stack.enter_context(ports.held(1))
        if self._free:
            found = iter(stack.enter_context(ports.held(2 * len(self.services))))
            self.services = {
                name: replace(service, port=next(found), metrics_port=next(found))
                for name, service in self.services.items()
            }
        for service in self.services.values():
            for port, what, variable in (
                (service.port, "", service.port_variable),
                (service.metrics_port, " (metrics)", service.metrics_port_variable),
            ):
                stack.enter_context(ports.claim(port, f"service {service.name}{what}", variable))
        if self._free or not os.environ.get(postgres.POSTGRES_PORT_VARIABLE):
            return stack.enter_context(ports.held(1))[0]
        port = ports.from_environment(postgres.POSTGRES_PORT_VARIABLE, 0)
        stack.enter_context(ports.claim(port, "Postgres", postgres.POSTGRES_PORT_VARIABLE))
        return port

    def start(self, names: Collection[str]) -> dict[str, str]:
        """Build and start those of `names` that were not yet; the reasons of those that can't.

        What can't be started is no service of the lab any more.
        """
        return {name: " ".join(str(error).split()) for name, error in self._started(names).items()}

    def _start_first(self) -> None:
        for name, error in self._started(self._begin).items():
            if self._failures is None:
                raise error
            self._failures[name] = str(error)

    def _started(self, names: Collection[str]) -> dict[str, BuildError | ProcessError]:
        """Take each step with all of them, so that they start side by side."""
        failed: dict[str, BuildError | ProcessError] = {}
        waiting = [each for each in names if each in self.services and each not in self._services]
        for step in (builds.build, self._spawn, self._await):
            for name in [each for each in waiting if each not in failed]:
                try:
                    step(self.services[name])
                except (BuildError, ProcessError) as error:
                    failed[name] = error
                    del self.services[name]
                    if name in self._services:
                        self.stop(name)
        return failed

    def _spawn(self, service: Service, overrides: Mapping[str, str] | None = None) -> None:
        self._services[service.name] = self._processes.start(
            service.name,
            service.command,
            log=self.log(service.name),
            cwd=service.folder,
            environment=free_threaded.chosen(self.environment(service, overrides or {})),
            cpus=self.cpus.widened(int((overrides or {}).get(CORES, "1"))).service,
        )

    def _await(self, service: Service) -> None:
        wait_until(
            self._services[service.name],
            lambda: ready(service),
            waiting_for=f"200 from {service.url()}/readyz and all of its workers",
        )

    def _database_at(self, service: Service, settings: Mapping[str, str]) -> str:
        """Where the service reaches Postgres under these settings, without the password."""
        if not pooling.size(settings):
            return self.database.url
        if self._pooler is None:
            self._pooler = pgbouncer.start(
                self._processes,
                self.database,
                port=self._pooler_port,
                log=self.log(pooling.PGBOUNCER),
                cpus=self.cpus.load,
            )
        return self._pooler.url(pooling.database(service.name, settings))

    def environment(
        self, service: Service, overrides: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The service's declared environment, with what differs outside a container."""
        common = ROOT / "services" / "common"
        return (
            environment.service([common, service.folder])
            | dict(service.environment)
            | {
                "HOST": ports.LOOPBACK,
                "PORT": str(service.port),
                "METRICS_PORT": str(service.metrics_port),
                "DATABASE_URL": self._database_at(service, overrides or {}),
                "DATABASE_PASSWORD_FILE": str(self.database.password_file),
            }
            | self._environment
            | dict(overrides or {})
        )
