"""A worker that is killed with requests in hand takes them with it, and leaves its counts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import pairwise
from typing import Any

import pytest

from tests.native.live.watch import Watch
from tests.waiting import eventually, gone

WORKERS = {
    "flask-sync": 3,
    "flask-gthread": 3,
    "flask-gevent": 2,
    "fastapi-async": 2,
    "node": 2,
}
LOAD = {"scenario": "wait", "parameters": "ms=1000", "load": "closed"}
USERS = 24
IN_HAND = (
    "http_server_active_requests",
    "lab_slots_busy",
    'db_client_connection_count{state="used"}',
    "db_client_connection_pending_requests",
)
Left = tuple[int, float]  # the worker that was killed, and since when its service is looked at


@pytest.fixture(scope="module")
def killed(watch: Watch) -> Iterator[Mapping[str, Future[Left]]]:
    """Under one load each service loses a worker, all at the same time; afterwards all are as
    they were.
    """

    def with_workers(name: str) -> None:
        watch.lab.restart(name, {"WORKERS": str(WORKERS[name])})

    with ThreadPoolExecutor(len(WORKERS)) as threads:
        list(threads.map(with_workers, WORKERS))
        watch.until_scraped_again()
        begin = time.time()
        assert watch.start(*WORKERS, users=USERS * len(WORKERS), **LOAD)["success"]
        found = {name: threads.submit(kill_one, watch, name, begin) for name in WORKERS}
        wait(found.values())
        watch.stop()
        yield found
        list(threads.map(watch.lab.restart, WORKERS))


def kill_one(watch: Watch, service: str, begin: float) -> Left:
    """Kill a worker with requests in hand, and see another in its place."""
    pace = f"rate(lab_worker_requests_total{of(service)}[6s])"
    assert eventually(lambda: len(workers_of(watch, service)) == WORKERS[service])
    assert eventually(lambda: watch.number(pace) > WORKERS[service] / 2)
    assert eventually(
        lambda: watch.number(f"http_server_active_requests{of(service)}") >= WORKERS[service]
    )
    workers = workers_of(watch, service)
    processes = awaited(watch, f"lab_processes{of(service)} >= {len(workers)}")["value"][1]
    victim = int(awaited(watch, f"topk(1, {pace} > 0)")["metric"]["worker"])
    os.kill(victim, signal.SIGKILL)
    assert eventually(lambda: gone(victim))
    assert eventually(lambda: len(workers_of(watch, service) - workers) == 1), (
        "another takes its place"
    )
    assert eventually(lambda: processes_of(watch, service) == float(processes))
    return victim, begin


@pytest.mark.parametrize("service", WORKERS)
def test_a_killed_worker_leaves_no_ghost(
    watch: Watch, killed: Mapping[str, Future[Left]], service: str
) -> None:
    victim, begin = killed[service].result()
    for gauge in IN_HAND:
        name, _, labels = gauge.partition("{")
        series = f'{name}{{service="{service}",{labels or "}"}'
        assert eventually(lambda series=series: watch.number(series) == 0), series  # type: ignore[misc]
    for counter in watch.counters(of(service), begin):
        assert all(a <= b for a, b in pairwise(counter.values)), counter
    assert eventually(lambda: victim in workers_of(watch, service)), (
        "what it has done stays counted"
    )


def of(service: str) -> str:
    return f'{{job="services",service="{service}"}}'


def workers_of(watch: Watch, service: str) -> set[int]:
    """The workers that have counted, dead ones included."""
    found = watch.query(f'lab_worker_requests_total{{service="{service}"}}')
    return {int(each["metric"]["worker"]) for each in found}


def awaited(watch: Watch, expression: str) -> dict[str, Any]:
    """The one series of a query, once there is one: a scrape that came too late leaves none."""
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = watch.query(expression)
        return len(found) == 1

    assert eventually(there), expression
    return found[0]


def processes_of(watch: Watch, service: str) -> float:
    """Processes of the service as last scraped."""
    return watch.number(f'lab_processes{{service="{service}"}}')
