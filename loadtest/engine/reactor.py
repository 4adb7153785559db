"""The sockets that are watched and the moments that are awaited, in one loop."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from loadtest.system.sockets import new_poller, original

_EVENTS = 128


class Watched(Protocol):
    """Whatever has a socket."""

    fd: int


W = TypeVar("W", bound=Watched)


@dataclass
class Standstill:
    """How long a loop did not turn: at most at a time, and all in all, in seconds."""

    longest_s: float = 0.0
    in_all_s: float = 0.0

    def add(self, lasted_s: float) -> None:
        """It stood still once more."""
        self.longest_s = max(self.longest_s, lasted_s)
        self.in_all_s += lasted_s


class Reactor(Generic[W]):
    """`now` is the clock, in seconds. `watched` are the owners of sockets by descriptor."""

    def __init__(self) -> None:
        self.now = time.perf_counter
        self.watched: dict[int, W] = {}
        self.new: set[int] = set()  # descriptors registered since the last `wait`
        self._poller = new_poller()
        self._select = original("select", "select")
        self._timers: list[tuple[float, int, Callable[[float], None]]] = []
        self._timer_number = 0

    def register(self, owner: W, mask: int) -> None:
        """Watch a new socket."""
        self.watched[owner.fd] = owner
        self.new.add(owner.fd)
        self._poller.register(owner.fd, mask)

    def modify(self, owner: W, mask: int) -> None:
        """Watch a socket for something else."""
        self._poller.modify(owner.fd, mask)

    def unregister(self, owner: W) -> None:
        """Watch a socket no longer."""
        if self.watched.pop(owner.fd, None) is not None:
            self._poller.unregister(owner.fd)

    def at(self, due: float, action: Callable[[float], None]) -> None:
        """Call `action(now)` once the clock has reached `due`."""
        self._timer_number += 1
        heapq.heappush(self._timers, (due, self._timer_number, action))

    @property
    def next_at(self) -> float:
        """When the next action is due."""
        return self._timers[0][0] if self._timers else float("inf")

    def act(self, now: float) -> None:
        """Do what is due."""
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2](now)

    def wait(self, wait_s: float, due_s: float) -> list[tuple[int, int]]:
        """Descriptors and masks of what has come within `wait_s`, or `due_s` where that is less."""
        self.new.clear()
        if due_s >= wait_s:
            return self._poller.poll(max(wait_s, 0), _EVENTS)
        # epoll waits in whole milliseconds; select, which can watch an epoll object, does not.
        if due_s > 0:
            self._select([self._poller.fileno()], (), (), due_s)
        return self._poller.poll(0, _EVENTS)

    def close(self) -> None:
        """Watch nothing any more."""
        self._poller.close()
