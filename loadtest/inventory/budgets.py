"""Budgets: env files that give every service its workers, threads and pool; compose reads
the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtest.errors import LabError
from loadtest.inventory.manifest import COMPOSE_FILE, Service, load, read_compose
from loadtest.model.counts import number_of
from loadtest.system.paths import ROOT

BUDGETS = ROOT / "budgets"
SPARE_CONNECTIONS = 20
"""Connections for the lab itself: exporter, sampler, checks, and Postgres' own reserve."""
POSTGRES_DEFAULT = 100
MAX_CONNECTIONS = "POSTGRES_MAX_CONNECTIONS"
# Models whose threads or processes each hold one request; the others make room as they need it.
OWN_THREADS = ("threads", "processes")
THREAD_LIMIT = "THREAD_LIMIT"
RENAMED = {"as-shipped": "typical"}


class BudgetError(LabError):
    """A budget does not exist or cannot be read; the message names it and what there is."""


def names(folder: Path = BUDGETS) -> list[str]:
    """The budgets that there are."""
    return sorted(each.stem for each in folder.glob("*.env"))


def variables(name: str, folder: Path = BUDGETS) -> dict[str, str]:
    """Variables of the budget called `name` under those of the environment, as compose has it."""
    if name in RENAMED:
        raise BudgetError(f"budget {name!r} is called {RENAMED[name]!r} now")
    path = folder / f"{name}.env"
    if not path.is_file():
        raise BudgetError(f"unknown budget {name!r}; budgets/ has: {', '.join(names(folder))}")
    return parse(path.read_text(encoding="utf-8"), path) | dict(os.environ)


def parse(text: str, where: Path) -> dict[str, str]:
    """Read `NAME=value` lines; blank lines and lines that start with # are left out."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        name, equals, value = line.partition("=")
        if not line or line.startswith("#"):
            continue
        if not equals or not name.strip().isidentifier():
            raise BudgetError(f"{where}: line {number} is not NAME=value: {line}")
        found[name.strip()] = value.strip()
    return found


def max_connections(variables: Mapping[str, str] | None = None) -> int:
    """Connections that Postgres allows, from its command in docker-compose.yml."""
    postgres = read_compose(COMPOSE_FILE, variables)["services"]["postgres"]
    found = re.search(r"max_connections=(\S+)", str(postgres.get("command", "")))
    if found is None:
        return POSTGRES_DEFAULT
    if not found[1].isdigit():
        raise BudgetError(f"{MAX_CONNECTIONS} is {found[1]!r}; set it to a whole number")
    return int(found[1])


def allowed(name: str) -> int:
    """Connections that Postgres allows under the budget called `name`."""
    return max_connections(variables(name))


def check(services: Iterable[Service], allowed: int, pooled: int = 0) -> None:
    """Refuse a budget that cannot hold, before anything starts; raises BudgetError.

    `services` run side by side on a Postgres that allows `allowed` connections. With a pooler each
    can have `pooled` of them.
    """
    asked = check_each(services)
    total = sum(min(each.connections, pooled or each.connections) for each in asked.values())
    if total + SPARE_CONNECTIONS > allowed:
        largest = sorted(asked, key=lambda name: -asked[name].connections)[:3]
        raise BudgetError(
            f"the services may open {total} connections (most: {', '.join(largest)}) and "
            f"{SPARE_CONNECTIONS} are kept for the lab, but Postgres allows {allowed}; "
            "raise POSTGRES_MAX_CONNECTIONS, lower a POOL_SIZE, or choose fewer services"
        )


def check_each(services: Iterable[Service]) -> dict[str, Demand]:
    """What each service asks for; raises BudgetError where its own numbers don't fit together."""
    asked = {service.name: Demand.of(service) for service in services}
    for name, demand in asked.items():
        demand.check(name)
    return asked


@dataclass(frozen=True)
class Demand:
    """What a service's environment asks for; all but `workers` are per worker.

    `thread_limit` is of a thread pool that requests share; None where the service has none.
    """

    workers: int
    threads: int
    pool_size: int
    model: str
    thread_limit: int | None = None

    @staticmethod
    def of(service: Service) -> Demand:
        """Read it; raises BudgetError naming service and variable."""
        return Demand(
            workers=_number(service, "WORKERS"),
            threads=_number(service, "THREADS"),
            pool_size=_number(service, "POOL_SIZE"),
            model=service.model,
            thread_limit=_number(service, THREAD_LIMIT) if _limited(service) else None,
        )

    @property
    def connections(self) -> int:
        """Database connections that the service may hold at most."""
        return self.workers * self.pool_size

    @property
    def slots(self) -> int:
        """Requests that can wait for the database at once, as far as the declaration tells."""
        own = self.model == "processes" or (self.model in OWN_THREADS and self.threads > 1)
        holders = self.threads if own else self.thread_limit or self.pool_size
        return self.workers * min(holders, self.pool_size)

    def under(self, environment: Mapping[str, str], where: str = "a level") -> Demand:
        """The same with what a level of an experiment overrides; raises BudgetError."""

        def number(name: str, declared: int) -> int:
            return whole(where, name, environment.get(name, str(declared)))

        return Demand(
            workers=number("WORKERS", self.workers),
            threads=number("THREADS", self.threads),
            pool_size=number("POOL_SIZE", self.pool_size),
            model=self.model,
            thread_limit=self.thread_limit and number(THREAD_LIMIT, self.thread_limit),
        )

    def check(self, name: str) -> None:
        """Slots against pool: a thread without a connection is no slot."""
        if self.model in OWN_THREADS and self.threads > self.pool_size:
            raise BudgetError(
                f"service {name}: {self.threads} threads share a pool of "
                f"{number_of(self.pool_size, 'connection')}, so only {self.pool_size} can wait for "
                "the database; make POOL_SIZE at least THREADS"
            )


def demands(folder: Path = BUDGETS) -> dict[str, dict[str, Demand]]:
    """What every budget gives each service of docker-compose.yml, by budget and service."""
    found = {}
    for name in names(folder):
        path = folder / f"{name}.env"
        services = load(variables=parse(path.read_text(encoding="utf-8"), path))
        found[name] = {each.name: Demand.of(each) for each in services.values()}
    return found


def _limited(service: Service) -> bool:
    return THREAD_LIMIT in service.environment


def _number(service: Service, name: str) -> int:
    return whole(f"service {service.name}", name, service.environment.get(name, "1"))


def whole(where: str, name: str, text: str) -> int:
    """The number that a variable has; raises BudgetError where it is none from 1."""
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise BudgetError(f"{where}: {name} is {text!r}; set it to a whole number from 1")
    return int(text)
