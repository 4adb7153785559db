"""What the same services would reach under another budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.analysis.slots import elsewhere, sentence, slots_under
from loadtest.inventory import budgets
from loadtest.inventory.budgets import Demand
from loadtest.plan import reader
from loadtest.report import report
from tests.synthetic import experiment, trials_of, write_run

ABOUT: dict[str, dict[str, Any]] = {
    "fastapi-async": {"model": "async", "slots_bound_by": "pool", "threads": 1},
    "fastapi-sync": {"model": "threads", "slots_bound_by": "threads", "threads": 40},
    "fastapi-blocking": {"model": "async", "slots_bound_by": "event loop", "threads": 1},
    "flask-sync": {"model": "processes", "slots_bound_by": "workers", "threads": 1},
    "flask-gthread": {"model": "threads", "slots_bound_by": "threads", "threads": 4},
    "flask-gevent": {"model": "greenlets", "slots_bound_by": "pool", "threads": 1000},
}
for each in ABOUT.values():
    each |= {"fanout": "in turn", "workers": 1, "slots": 1}


@pytest.mark.parametrize(
    ("service", "slots"),
    [
        ("fastapi-async", (40, 10, 32)),
        ("fastapi-sync", (40, 4, 32)),
        ("fastapi-blocking", (1, 1, 1)),
        ("flask-sync", (3, 3, 32)),
        ("flask-gthread", (12, 12, 32)),
        ("flask-gevent", (40, 4, 32)),
    ],
)
def test_slots_are_those_that_the_service_would_declare(
    service: str, slots: tuple[int, int, int]
) -> None:
    found = budgets.demands()
    demands = [found[name][service] for name in ("typical", "driver-defaults", "equal-slots")]
    assert tuple(slots_under(ABOUT[service], each)[0] for each in demands) == slots


def test_a_level_may_limit_the_threads_that_requests_share() -> None:
    demand = budgets.demands()["typical"]["fastapi-sync"].under({"THREAD_LIMIT": "10"})
    assert slots_under(ABOUT["fastapi-sync"], demand) == (10, "threads")


def test_the_answer_of_each_other_budget_is_told(tmp_path: Path) -> None:
    one = experiment()
    services = {name: {"observed": ABOUT[name]} for name in one.services}
    folder = write_run(tmp_path / "run", [one], trials_of([one]), services=services)
    [section] = report.load(folder).sections
    assert section.elsewhere == (
        "By slots ÷ wait, at 128 connections: under driver-defaults flask-gthread reaches 1.20 × "
        "fastapi-async (120 and 100 requests/s); under equal-slots flask-gthread reaches 1.00 × "
        "fastapi-async (320 and 320 requests/s)."
    )


@given(st.lists(st.integers(1, 64), min_size=4, max_size=4), st.sampled_from(list(ABOUT)))
def test_no_budget_allows_more_than_the_clients_ask_for(sizes: list[int], service: str) -> None:
    one = experiment(services=[service], reference=service, criteria=[])
    demands = {
        f"budget-{size}": {service: Demand(size, size, pool, str(ABOUT[service]["model"]))}
        for size, pool in zip(sizes[:2], sizes[2:], strict=True)
    }
    for each in elsewhere(one, ABOUT, demands):
        assert 0 < each.rps[service] <= 128 / 0.1


def test_nothing_is_told_where_slots_decide_nothing() -> None:
    known = reader.load_all()
    found = budgets.demands()
    for name in ("framework-throughput", "tail-latency", "memory-per-request", "contract"):
        assert elsewhere(known[name], ABOUT, found) == []
    pooled = known["pool-size"]  # its levels set workers, threads and pool themselves
    assert elsewhere(replace(pooled, services=pooled.services[:1]), ABOUT, found) == []
    assert sentence([], "typical", "a", "b") == ""
