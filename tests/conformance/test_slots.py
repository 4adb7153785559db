"""Every service has as many requests in hand as it declares, within its pool, and keeps
connections.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtest.backends.native import Lab
from loadtest.contract import slots
from loadtest.contract.slots import SlotReport
from loadtest.inventory.manifest import Service
from tests.conformance.conftest import NAMES, WITHOUT_KEEP_ALIVE, Start, status
from tests.waiting import eventually


@pytest.fixture(scope="module")
def seen() -> dict[str, SlotReport]:
    """One look at each service serves all tests."""
    return {}


@pytest.fixture
def report(service: Service, lab: Lab, seen: dict[str, SlotReport]) -> SlotReport:
    if service.name not in seen:
        seen[service.name] = slots.observe(
            service.url(), service.metrics_url(), lab.database_url, service.name
        )
    return seen[service.name]


@pytest.mark.parametrize("service", {"fastapi-sync"} & set(NAMES), indirect=True)
def test_a_limit_of_threads_is_one_of_slots(service: Service, lab: Lab, start: Start) -> None:
    name = f"{service.name}-limited"
    with start(service, {"SERVICE_NAME": name, "THREAD_LIMIT": "3"}) as (own, _):
        assert eventually(lambda: status(own, "/readyz") == 200)
        found = slots.observe(own.url(), own.metrics_url(), lab.database_url, name)
    assert (found.declared, found.bound_by, found.observed) == (3, "threads", 3)


def test_service_has_the_slots_that_it_declares(report: SlotReport) -> None:
    assert report.observed == report.declared


def test_service_stays_within_its_pool(report: SlotReport) -> None:
    assert 0 < report.backends <= report.backends_allowed


def test_service_keeps_connections_alive(report: SlotReport) -> None:
    assert (report.keep_alive_p50_ms is None) == (report.service in WITHOUT_KEEP_ALIVE)


def test_service_is_fit_to_be_timed(service: Service, report: SlotReport) -> None:
    """A busy machine may make every go of the canary slow, but not for ever."""
    assert replace(report, keep_alive_p50_ms=None).failures == ()
    assert report.failures == () or eventually(lambda: quick(service.url()))


def quick(url: str) -> bool:
    """Whether a kept connection has its answers without the 40 ms of a delayed acknowledgement."""
    took_ms = slots.canary_ms(url)
    return took_ms is not None and took_ms < slots.CANARY_LIMIT_MS


def test_every_worker_is_counted(service: Service, report: SlotReport) -> None:
    workers = int(service.environment["WORKERS"])
    assert len(report.worker_requests) == (workers if workers > 1 else 0)
