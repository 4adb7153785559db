"""A service at 100 % of its slots is still scraped: no gap in its series over half a minute."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from statistics import fmean

import pytest

from tests.native.live.watch import SERIES, Series, Watch, interval_s
from tests.waiting import eventually

pytestmark = pytest.mark.waits

# One of each kind that waits in its own way, and of each language's exporter.
SERVICES = ("fastapi-async", "flask-sync", "flask-gthread", "flask-gevent", "node", "go")
SLOWEST = "flask-sync"  # with three slots
USERS_EACH = 80  # twice the slots of the roomiest
# Together some 300 requests a second: all services are full, and two cores are not.
LOAD = {"scenario": "wait", "parameters": "ms=600", "load": "closed"}
LASTS_S = 30.0
FULL_SHARE = 0.95
# Kept connections stay with the worker that took them: of several workers one may get fewer than
# it has threads, and then the service is never full.
ONE_WORKER = {"WORKERS": "1", "THREADS": "12", "POOL_SIZE": "12"}


@pytest.fixture
def one_worker(watch: Watch) -> Iterator[None]:
    """The threads of flask-gthread in one process."""
    watch.lab.restart("flask-gthread", ONE_WORKER)
    yield
    watch.lab.restart("flask-gthread")


@pytest.fixture
def while_full(watch: Watch, one_worker: None) -> Iterator[tuple[float, float]]:  # noqa: ARG001
    """Begin and end of a while in which every service is full."""
    assert watch.start(*SERVICES, users=USERS_EACH * len(SERVICES), **LOAD)["success"]
    services = f'{{service=~"{"|".join(SERVICES)}"}}'
    idle = f"service:slots_utilisation:ratio{services} < 1"
    assert eventually(lambda: not watch.query(idle)), watch.query(idle)
    begin = time.time()
    end = begin + LASTS_S
    last = f"min(timestamp(up{services}))"
    assert eventually(lambda: watch.number(last) > end, LASTS_S + 20)
    yield begin, end
    watch.press_stop()
    watch.lab.restart(SLOWEST)  # its queue would take a quarter of a minute to work off


def test_full_services_are_scraped_without_a_gap(
    watch: Watch, while_full: tuple[float, float]
) -> None:
    # Services that have nothing to do are scraped late only where the machine stalls.
    idle = watch.samples(f'lab_slots{{service!~"{"|".join(SERVICES)}"}}', *while_full)
    gaps = [longest_gap(series, *while_full) for series in idle]
    late_s = max(gaps, default=interval_s()) - interval_s()
    for service in SERVICES:
        found = watch.samples(f'{{job="services",service="{service}"}}', *while_full)
        assert {series.name for series in found} >= {"up", *SERIES}, service
        for series in found:
            # Without a single scrape it would be two intervals.
            longest_s = longest_gap(series, *while_full)
            assert longest_s < 1.75 * interval_s() + late_s, (service, series)
        busy, slots, backlog, pending = (
            next(series.values for series in found if series.name == name)
            for name in (
                "lab_slots_busy",
                "lab_slots",
                "lab_accept_backlog",
                "db_client_connection_pending_requests",
            )
        )
        # Requests that began together end together: a scrape between two such waves sees slots
        # that are free for milliseconds. So the mean is asked for, not each sample.
        filled = [
            1.0 if waiting or queued else taken / there
            for taken, there, waiting, queued in zip(busy, slots, backlog, pending, strict=True)
        ]
        assert fmean(filled) >= FULL_SHARE, (service, busy, backlog, pending)


def longest_gap(series: Series, begin: float, end: float) -> float:
    """Seconds between two neighbours of: the begin, each sample, the end."""
    return max(after - before for before, after in pairwise([begin, *series.times, end]))
