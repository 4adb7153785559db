"""The engine inside Locust: one for each process, each Locust user one of its connections."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import gevent
import gevent.select
from gevent.lock import RLock

from loadtest import arrivals
from loadtest.connection import Connection
from loadtest.engine import Engine
from loadtest.load import Load
from loadtest.scenarios import Scenario
from loadtest.stream import OpenStream, Stream, resolve
from loadtest.tally import Batch

YIELD_EVERY_S = 0.005
_BLOCK_S = 0.001
_COOPERATIVE_S = 0.25


@dataclass(frozen=True)
class Plan:
    """What every connection of the process does. `share` is this process's part of an open rate."""

    load: Load
    scenario: Scenario
    parameters: dict[str, int]
    timeout_s: float
    seed: int
    share: float = 1.0


class Generator:
    """Runs an engine in a greenlet and lets the other greenlets have their turn.

    Heartbeats and the web interface need the hub every few milliseconds; the engine gives way that
    often under load, and sleeps in the hub where there is nothing to do.
    """

    def __init__(self, plan: Plan, observer: Callable[[list[Batch]], None]) -> None:
        self.plan = plan
        self.engine = Engine()
        self.engine.observers.append(observer)
        self._streams: dict[str, Stream] = {}
        self._adding = RLock()
        self._running = True
        self._greenlet = gevent.spawn(self._run)

    def add(self, service: str, url: str) -> Connection:
        """One more connection to `service` at `url`."""
        with self._adding:  # resolving a name lets other users run
            if service not in self._streams:
                self._streams[service] = self._new_stream(service, url)
                self.engine.add_stream(self._streams[service])
        return self.engine.add_connection(self._streams[service])

    def stop(self) -> None:
        """Publish what there is, close every connection and end the greenlet."""
        self._running = False
        self._greenlet.join()
        self.engine.close()

    def _new_stream(self, service: str, url: str) -> Stream:
        plan, parts = self.plan, urlsplit(url)
        port = parts.port or 80
        # Every row gets the same requests at the same moments.
        traffic = plan.scenario.traffic(parts.netloc, plan.parameters, plan.seed)
        options: dict[str, Any] = {
            "service": service,
            "scenario": plan.scenario.name,
            "address": resolve(parts.hostname or "", port),
            "traffic": traffic,
            "timeout_s": plan.timeout_s,
        }
        if plan.load.kind == "open":
            rate = (plan.load.rate_rps or 1.0) * plan.share
            return OpenStream(self.engine, arrivals=arrivals.poisson(rate, plan.seed), **options)
        return Stream(self.engine, think_s=plan.load.think_s, **options)

    def _run(self) -> None:
        idle, yielded = 0, time.perf_counter()
        while self._running:
            idle = 0 if self.engine.step(_BLOCK_S) else idle + 1
            now = time.perf_counter()
            if idle > 1:
                self._sleep(now)
            elif now - yielded < YIELD_EVERY_S:
                continue
            else:
                gevent.sleep(0)
            yielded = time.perf_counter()

    def _sleep(self, now: float) -> None:
        """Wait in the hub, and be back a little before something is due."""
        wait_s = min(self.engine.due_in(now) - 2 * _BLOCK_S, _COOPERATIVE_S)
        if wait_s > 0:
            gevent.select.select([self.engine.fileno()], [], [], wait_s)
        else:
            gevent.sleep(0)
