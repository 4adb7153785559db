from __future__ import annotations

from dataclasses import replace

import pytest

from loadtest.model.load import Load, LoadResult
from loadtest.model.trial import Sample
from loadtest.run import gates
from loadtest.run.presence import Look
from loadtest.stats.histogram import Histogram

CLOSED, OPEN = Load("closed", 8), Load("open", 64, 100.0)


def encoded(latency_s: float, count: int) -> str:
    histogram = Histogram()
    histogram.add_seconds([latency_s] * count)
    return histogram.encode()


GOOD = LoadResult(
    started_at="2026-01-01T00:00:00+00:00",
    warmup_s=1.0,
    duration_s=10.0,
    sent=4008,
    answered=4000,
    failed=0,
    unfinished=8,
    errors={},
    goodput_rps=400.0,
    received_bytes=1,
    reconnects=0,
    response_us=encoded(0.02, 4000),
    service_us=encoded(0.02, 4000),
    send_late_us=encoded(0.0001, 4000),
    mean_in_flight=8.0,
    generator_cpu=0.3,
)


def failed(result: LoadResult, load: Load = OPEN, ceiling_rps: float | None = 10_000) -> list[str]:
    found = gates.check(load, result, ceiling_rps=ceiling_rps)
    assert all(gate.detail for gate in found)
    return [gate.name for gate in found if not gate.passed]


def test_a_good_trial_passes_every_gate() -> None:
    assert failed(GOOD) == []
    assert [gate.name for gate in gates.check(OPEN, GOOD, ceiling_rps=None)] == [
        "answers checked",
        "right content",
        "right status",
        "all answered",
        "error rate",
        "generator kept going",
        "connection pauses",
        "Little's law",
        "generator CPU",
        "share of ceiling",
        "service kept running",
        "send lateness",
        "arrivals sent",
    ]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"sent": 4009}, "answers checked"),
        ({"response_us": encoded(0.02, 3999)}, "answers checked"),
        ({"answered": 3900, "failed": 100, "errors": {"timeout": 100}}, "error rate"),
        ({"paused_s": 7.0}, "connection pauses"),
        ({"mean_in_flight": 9.0}, "Little's law"),
        ({"generator_cpu": 0.95}, "generator CPU"),
        ({"response_us": encoded(0.0225, 4000)}, "send lateness"),
        ({"unsendable": 1}, "arrivals sent"),
    ],
)
def test_each_gate_catches_its_fault(change: dict[str, object], name: str) -> None:
    assert failed(replace(GOOD, **change)) == [name]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("paused_s", "passed"), [(None, True), (0.0, True), (0.79, True), (0.81, False)]
)
def test_pauses_are_a_share_of_all_connections_time(paused_s: float | None, passed: bool) -> None:
    """Eight connections for ten seconds: one per cent is 0.8 connection-seconds."""
    found = gates.check(CLOSED, replace(GOOD, paused_s=paused_s, reconnects=1200))
    (gate,) = [each for each in found if each.name == "connection pauses"]
    assert (gate.passed, gate.value) == (passed, None if paused_s is None else paused_s / 80)
    assert "1,200 connections were opened anew" in gate.detail or paused_s is None


def test_nothing_answered_is_no_trial() -> None:
    nothing = replace(
        GOOD,
        sent=8,
        answered=0,
        response_us=encoded(0, 0),
        service_us=encoded(0, 0),
        boundary_s=80.0,
    )
    assert failed(nothing) == ["answers checked"]
    assert failed(nothing, Load("held", 8)) == []


def test_the_share_of_the_ceiling() -> None:
    assert failed(GOOD, ceiling_rps=572) == []
    assert failed(GOOD, ceiling_rps=571) == ["share of ceiling"]
    assert failed(GOOD, ceiling_rps=None) == []


def test_the_ends_of_the_window_are_part_of_littles_law() -> None:
    """Slow requests in hand at the end count on one side only unless they are corrected for."""
    waiting = replace(GOOD, mean_in_flight=108.0, unfinished=108, sent=4108)
    assert failed(waiting) == ["Little's law"]
    assert failed(replace(waiting, boundary_s=1000.0)) == []


def test_lateness_that_is_small_beside_the_responses_is_no_fault() -> None:
    assert failed(replace(GOOD, response_us=encoded(0.0219, 4000))) == []
    slow = replace(GOOD, service_us=encoded(0.1, 4000), response_us=encoded(0.109, 4000))
    assert failed(replace(slow, mean_in_flight=40.0)) == []


def test_a_wait_for_a_connection_that_the_service_holds_is_its_own() -> None:
    """The generator was late by its own pauses at most: here by 2.5 ms."""
    late = replace(GOOD, response_us=encoded(0.0225, 4000))
    assert failed(replace(late, longest_pause_s=0.001)) == []
    assert failed(replace(late, longest_pause_s=0.002)) == ["send lateness"]


def test_lateness_of_other_requests_than_the_slow_ones_is_no_fault() -> None:
    assert failed(replace(GOOD, send_late_us=encoded(0.004, 4000))) == []


def test_a_service_that_went_away_is_no_trial() -> None:
    looks = [Look(0.0, 0.1, cpu_s=9.0), Look(1.0, 1.1, cpu_s=0.5), Look(9.0, 9.1, cpu_s=0.9)]
    [gate] = [each for each in gates.check(CLOSED, GOOD, looks=looks) if not each.passed]
    assert gate.name == "service kept running"
    assert "started again" in gate.detail


def test_a_closed_load_has_no_schedule_to_be_late_for() -> None:
    assert failed(replace(GOOD, send_late_us=encoded(1, 5), unsendable=5), CLOSED) == []


@pytest.mark.parametrize(
    ("counted", "passed"),
    [([1000.0, 2000.0, 1990.0], True), ([2000.0, 1000.0, 1000.0], False), ([None], True)],
)
def test_held_requests_must_be_in_hand_at_the_service(
    counted: list[float | None], passed: bool
) -> None:
    samples = [Sample(t=-0.5, cpu=0.1, pss_bytes=1, threads=1, in_flight=0.0)]
    samples += [
        Sample(t=1.0 + second, cpu=0.1, pss_bytes=1, threads=1, in_flight=count)
        for second, count in enumerate(counted)
    ]
    gate = gates.check(Load("held", 2000), GOOD, samples=samples)[-1]
    assert gate.name == "requests held"
    assert gate.passed is passed
