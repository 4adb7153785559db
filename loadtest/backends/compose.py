"""The services as a Docker engine runs them, for a run that is itself in a container on their
network.

The engine stays out of reach in there. What needs it, starting a service or starting it anew, is
asked for in a file and carried out by `containers/compare` on the host, which answers in another.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from psycopg.conninfo import make_conninfo

from loadtest.backends import readiness
from loadtest.backends.base import POOLER, POSTGRES
from loadtest.errors import LabError
from loadtest.inventory import pooling
from loadtest.inventory.manifest import Service
from loadtest.system import urls
from loadtest.system.cpus import Cpus

ANSWER_S = 180.0
ANSWER_POLL_S = 0.05
SIGHT = "LAB_SIGHT"  # "host" where the processes of other containers can be seen


class ComposeError(LabError):
    """A service could not be started; the message is the engine's."""


class Containers:
    """`services` in containers, each from its `start` on; the host stops them after the run.

    `control` is the folder that is shared with the host. Each service starts with its declared
    environment, under the budget and on the cores that the host gave it.
    """

    name = "compose"

    def __init__(self, services: Mapping[str, Service], control: Path | None = None) -> None:
        self.services = dict(services)
        self.cpus = Cpus(_cores("SERVICE_CPUSET"), _cores("LOAD_CPUSET"))
        self._control = control or Path(os.environ.get("LAB_CONTROL", "/control"))
        self._requests = 0
        self._started: set[str] = set()
        self._pooler = False  # whether it runs

    def __enter__(self) -> Containers:
        if not self._control.is_dir():
            raise ComposeError(
                f"{self._control}: no such folder; use `make compare BACKEND=compose`, "
                "which runs this in a container"
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to do: `containers/compare` removes what it started."""

    @property
    def database_url(self) -> str | None:
        """Where Postgres is asked about its connections."""
        url = os.environ.get("DATABASE_URL")
        if not url:
            return None
        return make_conninfo(url, password=Path(os.environ["DATABASE_PASSWORD_FILE"]).read_text())

    def roots(self) -> Mapping[str, int]:
        """The first process of each container, where this one shares the host's processes.

        The host writes them down each time that it has started a service.
        """
        if os.environ.get(SIGHT) != "host":
            return {}
        lines = (self._control / "processes").read_text().splitlines()
        found = {name: int(pid) for name, pid in map(str.split, lines)}
        names = {"postgres": POSTGRES, pooling.PGBOUNCER: POOLER}
        names |= {name: name for name in self.services}
        return {names[name]: pid for name, pid in found.items() if name in names}

    def start(self, names: Collection[str]) -> Mapping[str, str]:
        """Start those of `names` that were not yet; raises ComposeError."""
        for name in [each for each in names if each not in self._started]:
            self._start(name, {})
            self._started.add(name)
        return {}

    def alive(self, name: str) -> bool:
        """Whether the service answers at all."""
        return urls.answers(f"{self.services[name].url('compose')}/healthz", 5.0)

    def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """A new container for the service, with `environment` over its declared one."""
        self._start(name, environment or {})

    def stop(self, name: str) -> None:
        """Stop the service's container; `restart` makes a new one."""
        self._ask(name, "")

    def _start(self, name: str, environment: Mapping[str, str]) -> None:
        """A new container of the service, with `environment` over its own, once it is ready."""
        deadline = time.monotonic() + ANSWER_S
        if pooling.size(environment) and not self._pooler:
            self._ask(pooling.PGBOUNCER, json.dumps(_override(pooling.PGBOUNCER, {})))
            self._pooler = True
        given = {"DATABASE_URL": _database_url(name, environment), **environment}
        self._ask(name, json.dumps(_override(name, given)))
        while not readiness.ready(self.services[name], "compose"):
            if time.monotonic() > deadline:
                raise ComposeError(f"service {name}: not all of its workers began")
            time.sleep(ANSWER_POLL_S)

    def _ask(self, name: str, override: str) -> None:
        """Ask the host for a new container of the service, or to stop it, and wait for that.

        A request is one line with the name, then what goes over the compose file; nothing stops it.
        """
        self._requests += 1
        place = self._control / f"{self._requests:06}"
        text = f"{name}\n{override}"
        place.with_suffix(".new").write_text(text)
        place.with_suffix(".new").rename(place.with_suffix(".request"))
        answer = place.with_suffix(".answer")
        deadline = time.monotonic() + ANSWER_S
        while not answer.exists():
            if time.monotonic() > deadline:
                raise ComposeError(
                    f"service {name}: the host did not answer within {ANSWER_S:.0f} s"
                )
            time.sleep(ANSWER_POLL_S)
        if problem := answer.read_text().strip():
            raise ComposeError(f"service {name}: {problem}")


def _cores(variable: str) -> frozenset[int] | None:
    """The cores of a cpuset such as `2-5` or `1,3`; None where it is empty."""
    found: set[int] = set()
    for part in filter(None, os.environ.get(variable, "").split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found) or None


def _database_url(service: str, settings: Mapping[str, str]) -> str:
    """Where the service reaches Postgres under these settings: through the pooler or not."""
    if pooling.size(settings):
        place = f"{pooling.PGBOUNCER}:5432/{pooling.database(service, settings)}"
    else:
        place = "postgres:5432/lab"
    return f"postgresql://lab@{place}"


def _override(service: str, environment: Mapping[str, str]) -> dict[str, object]:
    """A compose file that changes the service's environment; a `$` would be a variable there."""
    quoted = {name: value.replace("$", "$$") for name, value in environment.items()}
    return {"services": {service: {"environment": quoted}}}
