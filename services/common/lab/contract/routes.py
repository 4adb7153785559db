"""The contract's routes and the methods that each one has."""

from __future__ import annotations

ITEM = "/items/{id}"
STREAM = "/stream"
UNMATCHED = "unmatched"

METHODS: dict[str, tuple[str, ...]] = {
    "/plaintext": ("GET",),
    "/json": ("GET",),
    "/items": ("GET",),
    ITEM: ("GET",),
    "/orders": ("POST",),
    "/wait": ("GET",),
    "/fanout": ("GET",),
    STREAM: ("GET",),
    "/cpu": ("GET",),
    "/session": ("DELETE", "POST"),
    "/me": ("GET",),
    "/about": ("GET",),
    "/healthz": ("GET",),
    "/readyz": ("GET",),
}


def route(path: str) -> str:
    """The contract's route of a path, so that no raw path becomes a label."""
    if path in METHODS:
        return path
    return ITEM if path.startswith("/items/") else UNMATCHED
