"""The server that runs the application. The same application runs under each."""

from __future__ import annotations

import sys
from collections.abc import Collection

# Each with the distributions that its speed depends on.
PARTS = {
    "gunicorn": ("gunicorn",),
    "uvicorn": ("uvicorn",),
}


def running(loaded: Collection[str] = sys.modules) -> str:
    """Its name: a server has been loaded before its application. uvicorn where there is none."""
    return next((name for name in PARTS if name in loaded), "uvicorn")
