"""Check a service before it is timed. A service that fails is not timed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from loadtest.contract import conformance, slots
from loadtest.contract.slots import SlotError
from loadtest.errors import reason
from loadtest.inventory.manifest import Service
from loadtest.system import idleness


@dataclass(frozen=True)
class Verified:
    """What is wrong with a service (it must not be timed), and what is only worth knowing.

    `seen` is what a burst of requests showed: see `SlotReport.seen`. `busy` says that the machine
    and not the service may be to blame for the failures; empty where it is not. `doubtful` are the
    failures once more, where a lack of CPU explains every one of them; else empty.
    """

    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seen: Mapping[str, Any] = field(default_factory=dict)
    busy: str = ""
    doubtful: tuple[str, ...] = ()

    def accepted(self, name: str) -> Verified:
        """The same for who lets a busy machine count: what it alone explains is a warning.

        Wrong answers stay failures, and so does more at once than the service declares.
        """
        if not (self.busy and self.doubtful):
            return self
        told = f"{name}: checked on a busy machine ({self.busy}): {'; '.join(self.doubtful)}"
        return replace(self, failures=(), doubtful=(), warnings=(*self.warnings, told))


def verify(service: Service, backend: str = "native", database_url: str | None = None) -> Verified:
    """Check the service's answers against the contract, then its slots against what it declares.

    Slots are seen in Postgres: without `database_url` they are not looked at. What fails on a
    machine without idle CPU is checked again, if possible when there is some.
    """
    found = _verify(service, backend, database_url)
    if not found.failures or not idleness.why_busy():
        return found
    idleness.await_idleness()
    found = _verify(service, backend, database_url)
    if not found.failures or not (busy := idleness.why_busy()):
        return found
    told = f"this machine is too busy to check it: {busy}; seen: {found.failures[0]}"
    return replace(found, failures=(told,), busy=busy)


def _verify(service: Service, backend: str, database_url: str | None) -> Verified:
    said = {"service": service.name, "framework": service.framework, "model": service.model}
    url = service.url(backend)
    failures = conformance.check(url, said, service.leaves_out)
    if failures or database_url is None:
        return Verified(tuple(failures))
    try:
        found = slots.observe(url, service.metrics_url(backend), database_url, service.name)
    except SlotError as error:
        return Verified((reason(error, service.name),))
    warnings = tuple(f"{service.name}: {each}" for each in found.warnings)
    doubtful = () if found.certain else found.doubtful
    return Verified(found.failures, warnings, found.seen, doubtful=doubtful)
