"""slots / L, and which limit binds."""

from __future__ import annotations

import pytest

from loadtest.analysis.prediction import PAUSES, TAKEN, predict
from loadtest.model.load import Load
from loadtest.plan.measures import MEASURES

GTHREAD = {"slots": 12, "slots_bound_by": "threads", "fanout": "in turn", "model": "threads"}
ASYNC = {"slots": 40, "slots_bound_by": "pool", "fanout": "at once", "model": "async"}


@pytest.mark.parametrize(
    ("about", "connections", "rps", "bound_by"),
    [
        (GTHREAD, 1, 10.0, "connections"),
        (GTHREAD, 8, 80.0, "connections"),
        (GTHREAD, 32, 120.0, "threads"),
        (ASYNC, 128, 400.0, "pool"),
    ],
)
def test_a_wait(about: dict[str, object], connections: int, rps: float, bound_by: str) -> None:
    found = predict(about, Load("closed", connections), "wait", {"ms": 100})
    assert found is not None
    assert found.rps == pytest.approx(rps)
    assert found.bound_by == bound_by
    assert found.latency_s == pytest.approx(0.1)


def test_five_waits_in_one_request() -> None:
    in_turn = predict(GTHREAD, Load("closed", 4), "fanout", {"n": 5, "ms": 50})
    at_once = predict(ASYNC, Load("closed", 4), "fanout", {"n": 5, "ms": 50})
    crowded = predict(ASYNC, Load("closed", 32), "fanout", {"n": 5, "ms": 50})
    assert in_turn is not None
    assert at_once is not None
    assert crowded is not None
    assert in_turn.rps == pytest.approx(4 / 0.25)
    assert at_once.rps == pytest.approx(4 / 0.05)
    assert crowded.rps == pytest.approx(40 / 0.25)
    assert (at_once.bound_by, crowded.bound_by) == ("connections", "pool")


@pytest.mark.parametrize(
    ("threads", "pool_size", "n", "connections", "rps", "slots", "bound_by"),
    [
        (4, 4, 5, 1, 10.0, 1, "connections"),  # four waits at once, then the fifth
        (4, 4, 4, 1, 20.0, 1, "connections"),
        (4, 4, 9, 1, 1 / 0.15, 1, "connections"),
        (4, 4, 5, 64, 12 / 0.25, 12, "pool"),
        (4, 40, 5, 64, 12 / 0.05, 12, "threads"),  # connections enough for all that threads ask
        (4, 4, 1, 64, 12 / 0.05, 12, "threads"),  # where both are equal it is not the pool
    ],
)
def test_a_request_has_no_more_connections_than_its_worker(
    threads: int, pool_size: int, n: int, connections: int, rps: float, slots: int, bound_by: str
) -> None:
    """Three workers, a request in each thread, all of whose waits begin at once."""
    service = GTHREAD | {"fanout": "at once", "workers": 3, "pool_size": pool_size}
    service |= {"slots": 3 * threads}
    found = predict(service, Load("closed", connections), "fanout", {"n": n, "ms": 50})
    assert found is not None
    assert found.rps == pytest.approx(rps)
    assert (found.slots, found.bound_by) == (slots, bound_by)


def test_a_median_in_a_closed_load_is_foretold_too() -> None:
    load = Load("closed", 12)
    alone, crowded = (predict(ASYNC, load, "fanout", {"n": n, "ms": 50}) for n in (1, 20))
    assert MEASURES["p50_ms"].foretold(alone, load) == pytest.approx(50.0)
    assert MEASURES["p50_ms"].foretold(crowded, load) == pytest.approx(300.0)
    assert MEASURES["goodput_rps"].foretold(crowded, load) == pytest.approx(40.0)
    assert MEASURES["p50_ms"].foretold(crowded, Load("open", 12, 5.0)) is None
    assert MEASURES["p99_ms"].foretold(crowded, load) is None


def test_clients_that_pause_ask_for_less_than_the_slots_allow() -> None:
    few, many = (
        predict(ASYNC, Load("closed", n, think_s=0.9), "wait", {"ms": 100}) for n in (100, 1000)
    )
    assert few is not None
    assert many is not None
    assert few.rps == pytest.approx(100.0)
    assert many.rps == pytest.approx(400.0)
    assert (few.bound_by, many.bound_by) == (PAUSES, "pool")


def test_clients_without_a_greenlet_are_not_served() -> None:
    service = ASYNC | {"model": "greenlets", "workers": 1, "threads": 1000, "fanout": "at once"}
    few, many = (
        predict(service, Load("closed", n, think_s=4.95), "wait", {"ms": 50}) for n in (1000, 5000)
    )
    assert few is not None
    assert many is not None
    assert few.rps == many.rps == pytest.approx(200.0)
    assert (few.bound_by, many.bound_by) == (PAUSES, TAKEN)


def test_an_offered_rate_below_the_slots_binds() -> None:
    found = predict(ASYNC, Load("open", 256, rate_rps=50.0), "wait", {"ms": 100})
    assert found is not None
    assert (found.rps, found.bound_by) == (50.0, "offered rate")


@pytest.mark.parametrize(("scenario", "parameters"), [("json", {}), ("wait", {"ms": 0})])
def test_nothing_is_said_where_nothing_waits(scenario: str, parameters: dict[str, int]) -> None:
    assert predict(ASYNC, Load("closed", 8), scenario, parameters) is None


def test_a_stream_holds_a_thread_and_no_database_connection() -> None:
    """Nine gaps of 100 ms: a thread makes 1.1 streams a second, an event loop as many as come."""
    gthread = GTHREAD | {"workers": 3, "threads": 5}  # with a pool of four
    found = predict(gthread, Load("closed", 100), "stream", {"n": 10, "ms": 100})
    assert found is not None
    assert (found.slots, found.bound_by) == (15, "threads")
    assert found.rps == pytest.approx(15 / 0.9)
    evented = predict(ASYNC, Load("closed", 100), "stream", {"n": 10, "ms": 100})
    assert evented is not None
    assert (evented.slots, evented.bound_by) == (100, "connections")
    few = predict(gthread, Load("closed", 2), "stream", {"n": 10, "ms": 100})
    assert few is not None
    assert few.bound_by == "connections"
    assert predict(gthread, Load("closed", 100), "stream", {"n": 1}) is None
