"""Whether the machine has CPU time to spare: where it has none, a check that fails says little."""

from __future__ import annotations

import os
import time

import psutil

LOOK_S = 0.5
IDLE_PATIENCE_S = 15.0
LEAST_IDLE = 0.2  # of all cores together


def idle_share(look_s: float = LOOK_S) -> float:
    """The share of all cores' time that nobody used, seen for `look_s` seconds from now."""
    before = psutil.cpu_times()
    time.sleep(look_s)
    after = psutil.cpu_times()
    passed = sum(after) - sum(before) - _counted_twice(after) + _counted_twice(before)
    return (after.idle - before.idle) / passed if passed > 0 else 1.0


def why_busy() -> str:
    """In one line that the machine is too busy now; empty where it has time to spare."""
    if idle_share() >= LEAST_IDLE:
        return ""
    cores = os.cpu_count() or 1
    return f"load {os.getloadavg()[0]:.0f} on {cores} core{'s'[: cores != 1]}"


def await_idleness(patience_s: float = IDLE_PATIENCE_S) -> None:
    """Wait until the machine has time to spare, at most `patience_s` seconds."""
    deadline = time.monotonic() + patience_s
    while why_busy() and time.monotonic() < deadline:
        pass


def _counted_twice(times: object) -> float:
    """Linux counts guests' time as user time as well."""
    return float(getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0))
