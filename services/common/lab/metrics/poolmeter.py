"""What a connection pool counts: connections in use, who waits for one, and for how long."""

from __future__ import annotations

from threading import Lock
from time import perf_counter
from typing import Protocol

from lab.metrics.recent import FINE_SIZE, fine
from lab.metrics.store import FIRST_S, HISTOGRAM_SIZE, Store, bucket

WAIT = "db_client_connection_wait_time_seconds"
FINE_WAIT = "pool_waits_fine"
SIZE = "pool_size"
# Who waits now and what is in use follow from these and from the waits: two additions saved.
ASKED, GIVEN_UP, RELEASED = "pool_asked", "pool_given_up", "pool_released"


class PoolMeter(Protocol):
    """What a connection pool reports."""

    def waiting(self) -> float:
        """Somebody asks for a connection; returns the moment."""

    def taken(self, since: float) -> None:
        """They got it."""

    def failed(self) -> None:
        """They gave up."""

    def released(self) -> None:
        """They gave it back."""


class PoolCounters:
    """For one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._values = store.values
        self._asked, self._given_up = store.reserve(ASKED), store.reserve(GIVEN_UP)
        self._released, self._size = store.reserve(RELEASED), store.reserve(SIZE)
        self._wait = store.reserve(WAIT, size=HISTOGRAM_SIZE)
        self._fine = store.reserve(FINE_WAIT, size=FINE_SIZE)

    def waiting(self) -> float:
        self._values[self._asked] += 1.0
        return perf_counter()

    def taken(self, since: float) -> None:
        seconds = perf_counter() - since
        values, wait = self._values, self._wait
        values[wait] += seconds
        values[wait + (1 if seconds <= FIRST_S else bucket(seconds))] += 1.0
        values[self._fine + fine(seconds)] += 1.0

    def failed(self) -> None:
        self._values[self._given_up] += 1.0

    def released(self) -> None:
        self._values[self._released] += 1.0

    def resized(self, size: int) -> None:
        self._values[self._size] = size


class LockedPool:
    """For many threads: adding to a double is a read and a write."""

    def __init__(self, counters: PoolCounters, lock: Lock) -> None:
        self._counters, self._lock = counters, lock

    def waiting(self) -> float:
        with self._lock:
            return self._counters.waiting()

    def taken(self, since: float) -> None:
        with self._lock:
            self._counters.taken(since)

    def failed(self) -> None:
        with self._lock:
            self._counters.failed()

    def released(self) -> None:
        with self._lock:
            self._counters.released()
