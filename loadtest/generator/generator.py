"""The engine inside Locust: one for each process, each Locust user one of its connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.lock import RLock

from loadtest.contract import scenarios
from loadtest.contract.scenarios import Scenario
from loadtest.engine.connection import Connection
from loadtest.engine.engine import Engine
from loadtest.engine.kinds import kind_of
from loadtest.engine.request import Quota
from loadtest.engine.stream import Stream
from loadtest.engine.tally import Batch
from loadtest.engine.tls import client_context
from loadtest.model.experiment import Background
from loadtest.model.load import Load
from loadtest.system import urls
from loadtest.system.sockets import Address, resolve

TURN_S = 0.005
LOOK_UP_S = 1.0


@dataclass(frozen=True)
class Assignment:
    """What every connection of the process does. `share` is this process's part of an open rate.

    `insecure`: the certificates of services over HTTPS are not checked. `background` is a second
    load on each service, with connections of its own. `requests_at_most` are those of all loads of
    this process.
    """

    load: Load
    scenario: Scenario
    parameters: dict[str, int]
    timeout_s: float
    seed: int
    share: float = 1.0
    insecure: bool = False
    background: Background | None = None
    requests_at_most: int | None = None


class Generator:
    """Runs an engine in a greenlet and lets the other greenlets have their turn.

    Heartbeats and the web interface need gevent's hub every few milliseconds. So the engine works
    or waits for that long, then gives way. Its poller could be nested in the hub's. But the kernel
    would look through all connections each time: milliseconds, where there are thousands.
    """

    def __init__(self, assignment: Assignment, observer: Callable[[list[Batch]], None]) -> None:
        self.assignment = assignment
        self.engine = Engine()
        self.engine.observers.append(observer)
        self._streams: dict[str, Stream] = {}
        self.beside: dict[str, Stream] = {}  # the second loads, by service
        self._urls: dict[str, str] = {}
        self._adding = RLock()
        self._quota = Quota(assignment.requests_at_most)
        self._running = True
        self._greenlet = gevent.spawn(self._run)
        self._looking = gevent.spawn(self._look_up)

    def add(self, service: str, url: str) -> Connection:
        """One more connection to `service` at `url`."""
        with self._adding:  # resolving a name lets other users run
            if service not in self._streams:
                self._urls[service] = url
                self._streams[service] = self._measured(service, url)
                self.engine.add_stream(self._streams[service])
                self._begin_beside(service, url)
        return self.engine.add_connection(self._streams[service])

    def in_flight(self) -> dict[str, int]:
        """Requests that are sent and not yet answered, by service."""
        return {service: stream.in_flight for service, stream in self._streams.items()}

    def opened(self, users: int) -> bool:
        """Whether so many users, and what runs beside them, have had their turn to connect."""
        beside = sum(len(stream.connections) for stream in self.beside.values())
        return self.engine.opened >= users + beside

    def require_running(self) -> None:
        """Raise RuntimeError if the engine has stopped by itself."""
        if self._greenlet.ready():
            raise RuntimeError(f"the engine stopped: {self._greenlet.exception!r}")

    def stop(self) -> None:
        """Publish what there is, close every connection and end the greenlet."""
        self._running = False
        self._greenlet.join()
        self._looking.kill()
        self.engine.close()

    def _measured(self, service: str, url: str) -> Stream:
        own = self.assignment
        return self._new_stream(service, url, own.load, own.scenario, own.parameters, own.seed)

    def _begin_beside(self, service: str, url: str) -> None:
        second = self.assignment.background
        if second is None:
            return
        scenario, seed = scenarios.choose(second.scenario), self.assignment.seed + 1
        filled = scenario.filled(second.parameters)
        stream = self._new_stream(service, url, second.load, scenario, filled, seed)
        self.beside[service] = stream
        self.engine.add_stream(stream)
        for _ in range(second.load.connections):
            self.engine.add_connection(stream)

    def _new_stream(
        self,
        service: str,
        url: str,
        load: Load,
        scenario: Scenario,
        parameters: Mapping[str, int],
        seed: int,
    ) -> Stream:
        assignment, parts = self.assignment, urlsplit(url)
        options: dict[str, Any] = {
            "service": service,
            "scenario": scenario.name,
            "address": _address(url),
            # Every service gets the same requests at the same moments.
            "traffic": scenario.traffic(urls.host_field(parts), parameters, seed),
            "timeout_s": assignment.timeout_s,
            "quota": self._quota,
        }
        if parts.scheme == "https":
            options["tls"] = client_context(insecure=assignment.insecure)
            options["server_name"] = parts.hostname
        own = replace(load, rate_rps=(load.rate_rps or 1.0) * assignment.share)
        return kind_of(own).stream(self.engine, own, seed, **options)

    def _look_up(self) -> None:
        """Ask again where an unreached service is: a container that restarts has a new address."""
        while self._running:
            gevent.sleep(LOOK_UP_S)
            for service, stream in [*chain(self._streams.items(), self.beside.items())]:
                if stream.unreached:
                    stream.unreached = False
                    stream.address = _address(self._urls[service])

    def _run(self) -> None:
        yielded = self.engine.now()
        while self._running:
            self.engine.step(TURN_S)
            if self.engine.now() - yielded >= TURN_S:
                gevent.sleep(0)
                yielded = self.engine.now()


def _address(url: str) -> Address | None:
    return resolve(*urls.endpoint(url))
