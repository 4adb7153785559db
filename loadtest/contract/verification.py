"""Is a service what it says it is? Asked before it is timed: a service that fails never is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.contract import conformance, slots
from loadtest.contract.slots import SlotError
from loadtest.inventory.manifest import Service


@dataclass(frozen=True)
class Verified:
    """What is wrong with a service (it must not be timed), and what is only worth knowing.

    `seen` is what a burst of requests showed: see `SlotReport.seen`.
    """

    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seen: Mapping[str, Any] = field(default_factory=dict)


def verify(service: Service, backend: str = "native", database_url: str | None = None) -> Verified:
    """Check the service's answers against the contract, then its slots against what it declares.

    Slots are seen in Postgres: without `database_url` they are not looked at.
    """
    said = {"service": service.name, "framework": service.framework, "model": service.model}
    url = service.url(backend)
    failures = conformance.check(url, said, service.leaves_out)
    if failures or database_url is None:
        return Verified(tuple(failures))
    try:
        found = slots.observe(url, service.metrics_url(backend), database_url, service.name)
    except SlotError as error:
        return Verified((str(error),))
    warnings = tuple(f"{service.name}: {each}" for each in found.warnings)
    return Verified(found.failures, warnings, found.seen)
