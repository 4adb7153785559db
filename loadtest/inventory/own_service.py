"""Services of the user's own: nothing of theirs is known but where they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.inventory import addresses
from loadtest.inventory.manifest import Service
from loadtest.model.start import Start
from loadtest.model.target import Target


@dataclass(frozen=True, kw_only=True)
class OwnService(Service):
    """A service that runs already, or that `start` starts. It has neither /about nor /metrics."""

    target: Target
    start: Start | None = None

    def url(self, backend: str = "native") -> str:  # noqa: ARG002
        """Scheme, host and port."""
        return addresses.origin(self.target.url)

    @property
    def described(self) -> dict[str, Any]:
        """What the record of a run says of it; a header may hold a password, so none is told."""
        start = self.start
        return {
            "url": self.target.url,
            "method": self.target.method,
            "command": list(start.command) if start else [],
            "folder": start.folder if start else "",
        }


def own_services(
    targets: Mapping[str, Target], starts: Mapping[str, Start]
) -> dict[str, OwnService]:
    """A service for each target, by name."""
    return {name: _own(name, target, starts.get(name)) for name, target in targets.items()}


def _own(name: str, target: Target, start: Start | None) -> OwnService:
    _, port = addresses.place(target.url)
    return OwnService(
        name=name,
        framework="",
        model="",
        command=start.command if start else (),
        environment=start.environment if start else {},
        folder=Path(start.folder) if start else Path(),
        port=port,
        metrics_port=0,
        target=target,
        start=start,
    )
