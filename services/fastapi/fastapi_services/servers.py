"""The server that runs the application. The same application runs under each."""

from __future__ import annotations

import sys
from collections.abc import Collection

# Each with the parsers that it may have loaded.
SERVERS = {
    "granian": (),
    "gunicorn": (),
    "hypercorn": ("h11",),
    "uvicorn": ("httptools", "zttp"),
}


def running(loaded: Collection[str] = sys.modules) -> str:
    """Its name: a server has been loaded before its application. uvicorn where there is none."""
    return next((name for name in SERVERS if name in loaded), "uvicorn")


def packages(server: str, loaded: Collection[str] = sys.modules) -> tuple[str, ...]:
    """The distributions that it is made of, as far as their versions matter."""
    return (server, *(each for each in SERVERS[server] if each in loaded))
