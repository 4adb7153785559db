"""Waiting for a condition, with a limit and without guessing how long it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psutil


def eventually(
    condition: Callable[[], object], timeout_s: float = 90.0, every_s: float = 0.02
) -> bool:
    """Whether `condition` holds within `timeout_s` seconds: long, as a shared machine may stall."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(every_s)
    return True


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie that nobody has collected has)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
