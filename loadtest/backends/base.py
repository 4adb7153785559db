"""What the runner needs of a backend: services that run, wherever they do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from loadtest.inventory.manifest import Service
from loadtest.system.cpus import Cpus

POSTGRES = "Postgres"
POOLER = "PgBouncer"
BESIDE_SERVICES = (POSTGRES, POOLER)  # of `roots`


class Backend(Protocol):
    """Services as processes or in containers; each is silent until it was started."""

    name: str  # native or compose
    services: dict[str, Service]  # with the ports that they really have
    cpus: Cpus

    @property
    def database_url(self) -> str | None:
        """Where Postgres can be asked about its connections; None where it is out of reach."""

    def roots(self) -> Mapping[str, int]:
        """The process that each service, and each of `BESIDE_SERVICES`, descends from.

        Empty if they are out of sight.
        """

    def start(self, names: Collection[str]) -> Mapping[str, str]:
        """Start those of `names` that were not yet; the reasons of those that could not be."""

    def alive(self, name: str) -> bool:
        """Whether the service still runs."""

    def stop(self, name: str) -> None:
        """Stop the service; `restart` starts it again."""

    def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Start the service anew with `environment` over its declared one."""
