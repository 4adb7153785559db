"""The FastAPI services differ in who waits and where CPU work runs, and in nothing else."""

from __future__ import annotations

import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from loadtest.backends.native import Lab
from loadtest.contract import cases
from loadtest.contract.conformance import Client, Reply
from loadtest.inventory.manifest import Service
from tests.services.holding import asked_again, held
from tests.waiting import eventually

# Some seconds of computing, long enough to be overtaken by what need not wait for it.
STEPS = 8_000_000
TURN_S = 0.2


def get(service: Service, target: str) -> Reply:
    with Client(service.url()) as client:
        return client.send("GET", target)


def active(service: Service) -> float:
    """How many requests the service has in hand, as its metrics say."""
    with urllib.request.urlopen(service.metrics_url()) as response:
        for line in response.read().decode().splitlines():
            if line.startswith("http_server_active_requests "):
                return float(line.split()[1])
    raise AssertionError("no http_server_active_requests")


def finished_at(service: Service, target: str) -> float:
    """The moment at which the service has answered."""
    assert get(service, target).status == 200
    return time.monotonic()


@pytest.mark.parametrize(
    ("name", "possible"),
    [
        ("fastapi-async", True),
        ("fastapi-sync", True),
        ("fastapi-blocking", False),
        ("starlette", True),
    ],
)
def test_a_request_that_waits_blocks_the_others_or_not(lab: Lab, name: str, possible: bool) -> None:
    service = lab.services[name]
    with ThreadPoolExecutor() as background, held(service, 1, lab.database_url) as (waiting,):
        assert eventually(lambda: active(service) == 1)
        other = background.submit(get, service, "/json")
        assert eventually(other.done, 20 if possible else 0.3) == possible
        assert not waiting.done()
    assert [waiting.result().status, other.result().status] == [200, 200]


@pytest.mark.parametrize(
    ("name", "possible"),
    [("fastapi-async", False), ("fastapi-sync", True), ("fastapi-processpool", True)],
)
def test_a_request_that_computes_blocks_the_others_or_not(
    lab: Lab, name: str, possible: bool
) -> None:
    """/json is answered well before it, and not just in the same turn."""
    service = lab.services[name]
    with ThreadPoolExecutor() as background:
        first = background.submit(finished_at, service, f"/cpu?n={STEPS}")
        assert eventually(lambda: active(service) == 1)
        second = finished_at(service, "/json")
        assert (first.result() - second > TURN_S) == possible


def test_process_pool_starts_before_it_is_asked(lab: Lab) -> None:
    service = lab.services["fastapi-processpool"]
    lab.restart(service.name)
    assert eventually(
        lambda: len(pool(lab.pid(service.name))) == int(service.environment["PROCESSES"])
    )


def test_process_pool_survives_the_death_of_a_process(lab: Lab) -> None:
    service = lab.services["fastapi-processpool"]
    assert json.loads(get(service, "/cpu?n=1000").body) == cases.computed(1000)
    before = set(pool(lab.pid(service.name)))
    before.copy().pop().kill()  # the executor ends the others
    # Until it has noticed, one of them may still answer.
    assert eventually(lambda: before.isdisjoint(pool(lab.pid(service.name))))
    assert eventually(lambda: get(service, "/cpu?n=1000").status == 200)
    assert json.loads(get(service, "/cpu?n=1000").body) == cases.computed(1000)


def pool(root_pid: int) -> list[psutil.Process]:
    """The processes that compute."""
    return [each for each in psutil.Process(root_pid).children(recursive=True) if computes(each)]


def computes(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return False


def test_event_loop_service_fans_out_at_once(lab: Lab) -> None:
    service = lab.services["fastapi-async"]
    with asked_again(service, "/fanout?n=10&ms=1000"):
        assert eventually(lambda: used(service) == 10)


def used(service: Service) -> float:
    """How many pooled connections the service has in use."""
    with urllib.request.urlopen(service.metrics_url()) as response:
        for line in response.read().decode().splitlines():
            if line.startswith('db_client_connection_count{state="used"}'):
                return float(line.split()[1])
    raise AssertionError("no db_client_connection_count")
