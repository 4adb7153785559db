"""Counters of workers, read from outside."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from lab.metrics import lag, meters, poolmeter, store
from lab.metrics.exporter import Workers
from lab.metrics.meters import WorkerMetrics
from lab.metrics.store import Store, StoreFullError
from lab.settings import Settings
from tests.services.metrics.counting import application, counted, environ


def test_dead_worker_leaves_its_counters_and_takes_its_gauges(
    worker: WorkerMetrics, workers: Workers
) -> None:
    child = os.fork()
    if child == 0:  # a fork counts in a file of its own
        worker.wsgi(application)(environ("/json"), lambda *_: None)
        worker.pool.taken(worker.pool.waiting())
        worker.values[worker.begun] += 1
        os._exit(0)
    os.waitpid(child, 0)
    worker.wsgi(application)(environ("/json"), lambda *_: None)
    for _ in range(2):
        assert counted(workers) == {("GET", "/json", "200"): 2}
        assert workers.pool_used == 0
        assert workers.active == 0
        assert workers.requests == {str(child): 1, str(os.getpid()): 1}


def test_pool_is_followed(worker: WorkerMetrics, workers: Workers) -> None:
    first = worker.pool.waiting()
    worker.pool.waiting()
    worker.pool.taken(first)
    workers.refresh()
    assert workers.pool_pending == 1
    assert workers.pool_used == 1
    worker.pool.failed()
    worker.pool.released()
    workers.refresh()
    assert workers.pool_pending == workers.pool_used == 0
    assert sum(workers.totals[poolmeter.WAIT, ()][1:]) == 1


def test_worker_that_has_just_started_has_nothing_under_way(
    tmp_path: Path, workers: Workers
) -> None:
    started = store.Store(tmp_path)
    workers.refresh()
    started.values[started.reserve(meters.BEGUN)] = 1
    workers.refresh()
    assert (workers.active, workers.pool_used, workers.pool_pending) == (1, 0, 0)


def test_off_wraps_nothing() -> None:
    off = meters.create(Settings("service", "url", metrics=False))
    assert off.wsgi(application) is application


def test_unbounded_label_is_refused_instead_of_overwriting() -> None:
    full = Store(None)
    full.reserve("series", {"long": "x" * (store.TEXT_BYTES - 100)})
    with pytest.raises(StoreFullError):
        full.reserve("series", {"long": "x" * 100})


def test_half_written_file_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "1-1.lab"
    path.write_bytes(b"\0" * 100)
    assert store.read(path) == []


def test_blocked_event_loop_shows_as_lag() -> None:
    seen: list[float] = []

    async def main() -> None:
        lag.watch_loop(seen.append)
        blocked = threading.Event()
        blocked.wait(3 * lag.PERIOD_S)  # blocks the loop: that is the point
        while len(seen) < 2:
            await asyncio.sleep(0)

    asyncio.run(main())
    assert max(seen) > lag.PERIOD_S
