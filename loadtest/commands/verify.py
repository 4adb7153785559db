"""`verify`: whether services that are up keep the contract."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.backends import postgres
from loadtest.backends.live import LabStopped
from loadtest.backends.native import state_directory
from loadtest.backends.readiness import up
from loadtest.commands.console import console
from loadtest.contract.verification import verify
from loadtest.inventory import manifest
from loadtest.inventory.manifest import Service


def all_kept(services: Sequence[str]) -> bool:
    """Check those of `services` that are up, each with its lines; whether all pass.

    Without names it checks every service that answers. Raises LabStopped where one doesn't.
    """
    known = manifest.load()
    asked = manifest.choose(known, list(services) or list(known))
    up_now = [service for service in asked.values() if up(service)]
    if not up_now or (services and len(up_now) < len(asked)):
        silent = ", ".join(name for name, service in asked.items() if service not in up_now)
        raise LabStopped(
            f"nothing answers for {silent}; start services by `make live` or `make up`"
        )
    database_url = postgres.running(state_directory())
    kept = [_kept(service, database_url) for service in up_now]
    return all(kept)


def _kept(service: Service, database_url: str | None) -> bool:
    found = verify(service, database_url=database_url)
    left_out = ", ".join(service.leaves_out)
    kept = f"keeps the contract{f', but for {left_out}' if left_out else ''}"
    wrong = "can't be checked" if found.busy else "FAILS"
    console.print(f"{service.name}: {wrong if found.failures else kept}")
    if shares := found.seen.get("worker_requests"):
        console.print(f"  requests by worker: {', '.join(map(str, shares))}")
    for line in (*found.failures, *found.warnings):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    return not found.failures
