"""What `make bench-scrapes` makes of the scrapes that it has taken."""

from __future__ import annotations

from math import inf, nan

import pytest

from benchmarks.scrapes import Scrape, busy, cells, in_one_process
from loadtest.inventory import manifest


def metrics(**values: int) -> str:
    return "".join(f"{name} {value}\n" for name, value in values.items())


@pytest.mark.parametrize(
    ("shown", "share"),
    [
        (metrics(lab_slots=4, lab_slots_busy=4), 1),
        (metrics(lab_slots=4, lab_slots_busy=3), 0.75),
        (metrics(lab_slots=4, lab_slots_busy=3, lab_accept_backlog=1), 1),
        (metrics(lab_slots=4, lab_slots_busy=3, db_client_connection_pending_requests=2), 1),
        (metrics(), 0),
    ],
)
def test_slots_are_busy_where_they_are_taken_or_somebody_waits(shown: str, share: float) -> None:
    assert busy(shown) == share


def test_quick_scrapes_of_a_full_service_are_well() -> None:
    scrapes = [Scrape(milliseconds / 1000, 1) for milliseconds in range(1, 100)]
    assert cells(scrapes) == ["99", "50.0", "–", "99.0", "100%", "ok"]


def test_one_late_scrape_is_told_and_enough_have_a_p99() -> None:
    scrapes = [Scrape(0.01, 1)] * 200 + [Scrape(0.1, 0.9)]
    assert cells(scrapes) == ["201", "10.0", "10.0", "100.0", "100%", "1 too late"]


def test_a_scrape_without_an_answer_is_late() -> None:
    assert cells([Scrape(0.01, 1)] * 9 + [Scrape(inf, nan)])[-3:] == [
        "failed",
        "100%",
        "1 too late",
    ]
    assert cells([Scrape(inf, nan)])[-1] == "not full"


def test_of_a_service_that_was_not_full_nothing_is_claimed() -> None:
    assert cells([Scrape(0.01, 0.9)] * 10)[-1] == "not full"


def test_threads_stand_in_one_process_and_single_workers_as_they_are() -> None:
    services = manifest.load(variables={})
    gthread = in_one_process(services["flask-gthread"]).environment
    assert [gthread[name] for name in ("WORKERS", "THREADS", "POOL_SIZE")] == ["1", "12", "12"]
    for name in ("flask-sync", "flask-gevent", "fastapi-async"):
        assert in_one_process(services[name]) == services[name]
