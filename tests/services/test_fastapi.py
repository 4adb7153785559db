"""The FastAPI rows differ in who waits and where CPU work runs, and in nothing else."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from loadtest import cases
from loadtest.conformance import Answer, Client
from loadtest.manifest import Row
from loadtest.native import Lab
from tests.waiting import eventually

# Some seconds of computing, long enough to be overtaken by what need not wait for it.
STEPS = 8_000_000
TURN_S = 0.2


def get(row: Row, target: str) -> Answer:
    with Client(row.url()) as client:
        return client.send("GET", target)


def active(row: Row) -> float:
    """How many requests the row has in hand, as its metrics say."""
    with urllib.request.urlopen(row.metrics_url()) as response:
        for line in response.read().decode().splitlines():
            if line.startswith("http_server_active_requests "):
                return float(line.split()[1])
    raise AssertionError("no http_server_active_requests")


def finished_at(row: Row, target: str) -> float:
    """The moment at which the row has answered."""
    assert get(row, target).status == 200
    return time.monotonic()


def overtakes(row: Row, slow: str) -> bool:
    """Whether /json, asked after `slow`, is answered well before it (not just in the same turn)."""
    with ThreadPoolExecutor() as background:
        first = background.submit(finished_at, row, slow)
        assert eventually(lambda: active(row) == 1)
        second = finished_at(row, "/json")
        return first.result() - second > TURN_S


@pytest.mark.parametrize(
    ("name", "slow", "possible"),
    [
        ("fastapi-async", "/wait?ms=1500", True),
        ("fastapi-sync", "/wait?ms=1500", True),
        ("fastapi-blocking", "/wait?ms=1500", False),
        ("starlette", "/wait?ms=1500", True),
        ("fastapi-async", f"/cpu?n={STEPS}", False),
        ("fastapi-sync", f"/cpu?n={STEPS}", True),
        ("fastapi-processpool", f"/cpu?n={STEPS}", True),
    ],
)
def test_slow_request_blocks_the_others_or_not(
    lab: Lab, name: str, slow: str, possible: bool
) -> None:
    assert overtakes(lab.rows[name], slow) == possible


def test_process_pool_survives_the_death_of_a_process(lab: Lab) -> None:
    row = lab.rows["fastapi-processpool"]
    assert json.loads(get(row, "/cpu?n=1000").body) == cases.computed(1000)
    for child in pool(lab.pid(row.name)):
        child.send_signal(signal.SIGKILL)
    assert eventually(lambda: get(row, "/cpu?n=1000").status == 200)
    assert json.loads(get(row, "/cpu?n=1000").body) == cases.computed(1000)


def pool(root_pid: int) -> list[psutil.Process]:
    """The processes that compute."""
    family = psutil.Process(root_pid).children(recursive=True)
    return [each for each in family if "spawn_main" in " ".join(each.cmdline())]


def test_event_loop_row_fans_out_at_once(lab: Lab) -> None:
    row = lab.rows["fastapi-async"]
    with ThreadPoolExecutor() as background:
        answer = background.submit(get, row, "/fanout?n=10&ms=1000")
        assert eventually(lambda: used(row) == 10)
        assert answer.result().status == 200


def used(row: Row) -> float:
    """How many pooled connections the row has in use."""
    with urllib.request.urlopen(row.metrics_url()) as response:
        for line in response.read().decode().splitlines():
            if line.startswith('db_client_connection_count{state="used"}'):
                return float(line.split()[1])
    raise AssertionError("no db_client_connection_count")
