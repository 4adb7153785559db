"""A running service under a closed load that can be held and go on, for `benchmarks.services`."""

from __future__ import annotations

import ctypes
import http.client
import time
from collections.abc import Set
from contextlib import closing
from urllib.parse import urlsplit

import psutil

from loadtest.contract import scenarios
from loadtest.engine.engine import Engine
from loadtest.engine.stream import Stream
from loadtest.engine.tally import Batch
from loadtest.inventory.manifest import Service
from loadtest.system.sockets import resolve

CONNECTIONS = 16  # for each worker
ACCEPT_S = 10
# A service at rest takes less than that for its timers; one that starts takes all it gets.
REST_S, REST_CPU_S, STARTING_S = 0.5, 0.015, 30


class Arm:
    """A running service and the closed load on it, which can be held and go on."""

    def __init__(self, service: Service, root_pid: int, scenario: str) -> None:
        load, address = scenarios.choose(scenario), urlsplit(service.url())
        self._service = service
        self._root = psutil.Process(root_pid)
        self._engine = Engine()
        self._engine.observers.append(self._count)
        self._stream = Stream(
            self._engine,
            service=service.name,
            scenario=scenario,
            address=resolve(address.hostname or "", address.port or 80),
            traffic=load.traffic(address.netloc, load.filled({}), 1),
        )
        self._engine.add_stream(self._stream)
        self._answered = 0
        self._connect(int(service.environment["WORKERS"]))

    @property
    def interpreted(self) -> bool:
        """Whether it runs from its first request as it does later."""
        return self._service.command[0] == "python"

    def _connect(self, workers: int) -> None:
        """Open as many connections to each worker, where connections are kept.

        Whichever process wakes first accepts: left to it, one worker may hold all and another none,
        which moves a service of threads by a third. So each has its share while the others are
        stopped.
        """
        processes, served = self._root.children(recursive=True), set[psutil.Process]()
        # Node's primary shares them out by itself; Go has one process.
        if not self.interpreted or not keeps_connections(self._service):
            return self._add_connections(CONNECTIONS * workers)
        try:
            for _ in range(workers):
                self._add_connections(1)
                worker = self._await_one_with(1, set(processes) - served)
                for other in set(processes) - {worker}:
                    other.suspend()
                self._add_connections(CONNECTIONS - 1)
                self._await_one_with(CONNECTIONS, {worker})
                worker.suspend()
                served.add(worker)
                for other in set(processes) - served:
                    other.resume()
        finally:
            for process in processes:
                process.resume()

    def _add_connections(self, number: int) -> None:
        for _ in range(number):
            self._engine.add_connection(self._stream)

    def _await_one_with(self, connections: int, among: Set[psutil.Process]) -> psutil.Process:
        """The process that holds so many connections, once there is one."""
        deadline = self._engine.now() + ACCEPT_S
        while self._engine.now() < deadline:
            self.run(0.005)
            for process in among:
                if self._held(process) == connections:
                    return process
        raise SystemExit(f"{self._service.name}: no worker accepted {connections} connections")

    def _held(self, process: psutil.Process) -> int:
        return sum(
            each.status == psutil.CONN_ESTABLISHED and each.laddr.port == self._service.port
            for each in process.net_connections("tcp4")
        )

    def _count(self, batches: list[Batch]) -> None:
        for batch in batches:
            if batch.failed:
                raise SystemExit(f"{self._service.name}: {batch.scenario}: {dict(batch.errors)}")
            self._answered += batch.answered

    def run(self, seconds: float) -> None:
        """Load the service; a wrong answer is an error of the benchmark."""
        end = self._engine.now() + seconds
        self._engine.run(lambda: self._engine.now() >= end)

    def await_rest(self) -> None:
        """Wait until the service has started whatever it starts after its first answer.

        Pools and further processes are opened behind an answering service, and would be its load's
        CPU.
        """
        deadline, before = self._engine.now() + STARTING_S, self._cpu_s()
        while self._engine.now() < deadline:
            time.sleep(REST_S)
            now = self._cpu_s()
            if now - before < REST_CPU_S:
                return
            before = now
        raise SystemExit(f"{self._service.name}: still busy {STARTING_S} s after its start")

    def counts(self) -> tuple[int, float]:
        """Right answers and the server's CPU seconds so far."""
        self._count(self._stream.take())
        return self._answered, self._cpu_s()

    def _cpu_s(self) -> float:
        """CPU time of the server's processes, without what only watches above them."""
        processes = self._root.children(recursive=True) or [self._root]
        return sum(cpu_s(each.pid) for each in processes)

    def close(self) -> None:
        """End the load."""
        self._engine.close()


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its threads, to the nanosecond (Linux).

    What psutil reads is in ticks of 10 ms, of which a worker's turn has but some ten. Raises
    ProcessLookupError.
    """
    clock = ctypes.c_int()
    if ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise ProcessLookupError(pid)
    return time.clock_gettime(clock.value)


def keeps_connections(service: Service) -> bool:
    """Whether the service leaves a connection open when it has answered."""
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=5)) as connection:
        connection.request("GET", "/json")
        return not connection.getresponse().will_close
