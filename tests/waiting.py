"""Waiting for a condition, with a limit and without guessing how long it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psutil

FIRST_PAUSE_S = 0.01


def eventually(
    condition: Callable[[], object], timeout_s: float = 90.0, every_s: float = 0.1
) -> bool:
    """Whether `condition` holds within `timeout_s` seconds: long, as a shared machine may stall.

    It is looked at often at first, then every `every_s` seconds, as looking takes its time too.
    """
    deadline = time.monotonic() + timeout_s
    pause, pause_s = threading.Event(), FIRST_PAUSE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(pause_s)
        pause_s = min(2 * pause_s, every_s)
    return True


def cmdline_of(process: psutil.Process) -> list[str]:
    """Its command line; nothing where it has ended meanwhile."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie's is one, too
        return []


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie that nobody has collected has)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
