"""Load and service count the same requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadtest.backends.native import Lab
from loadtest.model.load import Load
from loadtest.run import load
from loadtest.run.forkserver import ForkServer
from loadtest.run.sampler import scrape
from tests.waiting import eventually

COUNT = "http_server_request_duration_seconds_count"


@pytest.fixture(scope="module")
def forks() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


@pytest.mark.parametrize("name", ["fastapi-async", "flask-sync", "flask-gthread"])
def test_requests_are_counted_alike_on_both_sides(lab: Lab, forks: ForkServer, name: str) -> None:
    service = lab.services[name]

    def counted() -> int:
        return int(scrape(service.metrics_url(), timeout_s=20).get(COUNT, 0))

    before = counted()
    result = load.run(
        Load("closed", 8),
        target=service.url(),
        service=name,
        scenario="wait",
        parameters={"ms": 5},
        warmup_s=0.2,
        duration_s=0.5,
        seed=1,
        forks=forks,
    )
    sent = result.sent_in_warmup + result.sent
    assert result.failed == 0
    # Requests that were in hand when the load ended are still being served.
    assert eventually(lambda: counted() - before >= sent)
    assert counted() - before == sent
