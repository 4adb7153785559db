"""Scheduling lag: how late a sleeper wakes, which is how long anything ready to run must wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

LagKind = Literal["event_loop", "thread", "greenlet"]

PERIOD_S = 0.1
_WINDOW = 10  # the worst of the last second, so that a scrape a second misses nothing


def watch_loop(record: Callable[[float], None]) -> None:
    """Measure the running event loop from now on, by a timer that costs no task."""
    loop = asyncio.get_running_loop()
    recent: deque[float] = deque(maxlen=_WINDOW)

    def wake(due: float) -> None:
        recent.append(max(0.0, loop.time() - due))
        record(max(recent))
        due = loop.time() + PERIOD_S
        loop.call_at(due, wake, due)

    wake(loop.time())


def start_thread(record: Callable[[float], None]) -> None:
    """Measure a thread's wake-ups from now on (a greenlet's, where gevent has patched threads)."""
    threading.Thread(target=_watch, args=(record,), name="lab-lag", daemon=True).start()


def _watch(record: Callable[[float], None]) -> None:
    recent: deque[float] = deque(maxlen=_WINDOW)
    while True:
        due = time.perf_counter() + PERIOD_S
        time.sleep(PERIOD_S)
        recent.append(max(0.0, time.perf_counter() - due))
        record(max(recent))
