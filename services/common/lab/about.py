"""What a service says it is, and how many slots that makes."""

from __future__ import annotations

import platform
import sys
import sysconfig
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any, Literal

from lab.settings import Settings

Bound = Literal["workers", "threads", "greenlets", "pool", "event loop"]


@dataclass(frozen=True)
class About:
    """The document of `/about`; the contract describes each member."""

    service: str
    framework: str
    server: str
    model: str
    versions: dict[str, str]
    workers: int
    threads: int
    pool_size: int
    slots: int
    slots_bound_by: Bound
    fanout: Literal["at once", "in turn"]
    websocket: bool

    def document(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return asdict(self)


def describe(
    settings: Settings,
    *,
    framework: str,
    server: str,
    model: str,
    packages: tuple[str, ...],
    holders: tuple[Bound, int] | None = None,
    threads: int | None = None,
    fanout: Literal["at once", "in turn"] = "in turn",
    websocket: bool = False,
) -> About:
    """Describe a service.

    `holders`: what a waiting request occupies besides its connection, and how many a worker has,
    such as `("threads", 4)`. None where only the pool limits it (an event loop that awaits).
    `packages` are the distributions whose versions matter.
    """
    bound_by, per_worker = slots_per_worker(settings.pool_size, holders)
    return About(
        service=settings.service_name,
        framework=framework,
        server=server,
        model=model,
        versions=_versions(packages),
        workers=settings.workers,
        threads=settings.threads if threads is None else threads,
        pool_size=settings.pool_size,
        slots=settings.workers * per_worker,
        slots_bound_by=bound_by,
        fanout=fanout,
        websocket=websocket,
    )


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Of Python and of packages; of a free-threaded Python also its lock: `gil`, `on` or `off`."""
    found = {"python": platform.python_version()}
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        found["gil"] = "on" if sys._is_gil_enabled() else "off"  # type: ignore[attr-defined]
    return found | {name: metadata.version(name) for name in packages}


def slots_per_worker(pool_size: int, holders: tuple[Bound, int] | None) -> tuple[Bound, int]:
    """The limit that binds first and its size; where both are equal it is not the pool."""
    if holders is not None and holders[1] <= pool_size:
        return holders
    return "pool", pool_size
