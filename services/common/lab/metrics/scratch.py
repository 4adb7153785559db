"""A directory in memory for as long as its process lives."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_PREFIX = "lab-metrics-"
_OWNER = "owner"  # locked while the process that owns the directory lives


@contextmanager
def directory() -> Iterator[Path]:
    """A fresh directory, and an end to those whose process was killed before it could clear up."""
    shared = Path("/dev/shm")
    parent = shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
    for path in parent.glob(f"{_PREFIX}*"):
        _remove_orphan(path)
    path, owner = _owned(parent)
    try:
        yield path
    finally:
        owner.close()
        shutil.rmtree(path, ignore_errors=True)


def _owned(parent: Path) -> tuple[Path, IO[str]]:
    """A new directory and its locked owner file."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        owner = (path / _OWNER).open("w")
        fcntl.flock(owner, fcntl.LOCK_EX)
        if path.exists():
            return path, owner
        # Another service that starts at this moment took it for an orphan: it was not locked yet.
        owner.close()


def _remove_orphan(path: Path) -> None:
    with suppress(OSError), (path / _OWNER).open() as owner:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path)
