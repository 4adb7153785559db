"""A worker to count in, an application that answers as told, and what was counted of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lab.about import About
from lab.metrics import meters
from lab.metrics.exporter import Workers

ABOUT = About(
    service="service",
    framework="Toy",
    server="none",
    model="threads",
    versions={"python": "3"},
    workers=1,
    threads=4,
    pool_size=2,
    slots=2,
    slots_bound_by="pool",
    fanout="in turn",
    websocket=False,
)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response(environ["status"], [])
    return [b""]


def environ(path: str, status: str = "200 OK", method: str = "GET") -> dict[str, Any]:
    return {"PATH_INFO": path, "REQUEST_METHOD": method, "status": status}


def counted(workers: Workers) -> dict[tuple[str, str, str], int]:
    """Requests by method, route and status."""
    workers.refresh()
    return {
        tuple(value for _, value in labels): int(sum(values[1:]))  # type: ignore[misc]
        for (name, labels), values in workers.totals.items()
        if name == meters.DURATION
    }
