"""Figures of the dashboards beside the truth: a known wait, and a queue that follows from it.

First of the live tests, as restarts and requests of another load are seen for five minutes.
"""

from __future__ import annotations

import math

import pytest

from tests.native.live.panels import expressions, sentence
from tests.native.live.watch import Watch
from tests.waiting import eventually

pytestmark = pytest.mark.waits

ROOMY, FULL = "fastapi-async", "flask-sync"  # 40 slots, and 3
USERS_EACH = 30
WAIT = {"scenario": "wait", "parameters": "ms=100", "load": "closed"}
WAIT_S = 0.1
# To take a free connection costs some CPU; to wait for another's lasts a part of its wait.
NO_WAIT_S = (0.0, 0.005 * WAIT_S)
SERVER_P95 = "rule service:http_server_request_duration_seconds:p95_10s"
GOODPUT = "comparison: Goodput against slots ÷ wait"
BAR = "comparison: $service: slots busy A"
ONE_SIDED = "validity: Requests that only one side counts"
PANELS = expressions(ROOMY, FULL)
AT_REST_S = 25  # after a load, when both sides' counts are held against each other one by one


def shown(watch: Watch, panel: str) -> dict[str, float]:
    """What a panel's query shows now, by service."""
    found = watch.query(PANELS[panel])
    return {each["metric"].get("service", ""): float(each["value"][1]) for each in found}


def said(watch: Watch, service: str) -> str:
    """The sentence above the service's bar."""
    found = [each["metric"] for each in watch.query(PANELS[BAR])]
    return next((sentence(each) for each in found if each["service"] == service), "")


def late_s(watch: Watch, service: str) -> float:
    """How late the machine runs what is due, as the service measures: the worst of ten seconds."""
    return watch.number(f'max_over_time(lab_scheduling_lag_seconds{{service="{service}"}}[10s])')


def truths(
    goodput: dict[str, float], late: dict[str, float]
) -> dict[tuple[str, str], tuple[float, float]]:
    """Between what a figure must lie, by service and panel.

    `goodput`: answers a second; `late`: seconds that a busy machine may add to each wait.
    """
    waits = {name: (WAIT_S, 1.04 * WAIT_S + late.get(name, 0.0)) for name in (ROOMY, FULL)}
    # Thirty users who always ask: each waits as long as thirty answers take (Little's law).
    queue_s = USERS_EACH / max(goodput.get(FULL, 0.0), 1.0)
    return {
        (ROOMY, "comparison: Client latency A"): waits[ROOMY],
        (FULL, "comparison: Client latency A"): (0.97 * queue_s, 1.03 * queue_s),
        (ROOMY, f"{GOODPUT} B"): (400, 400),
        (FULL, f"{GOODPUT} B"): (30, 30),
        (FULL, "comparison: $service D"): (USERS_EACH - 3, USERS_EACH - 3),
        (ROOMY, SERVER_P95): waits[ROOMY],
        (FULL, SERVER_P95): waits[FULL],
        (ROOMY, "comparison: Wait for a database connection, p95 A"): NO_WAIT_S,
        (FULL, "comparison: Wait for a database connection, p95 A"): NO_WAIT_S,
        (ROOMY, "postgres: Queries a second A"): near(goodput.get(ROOMY, 0.0)),
        (FULL, "postgres: Queries a second A"): near(goodput.get(FULL, 0.0)),
    }


def near(figure: float) -> tuple[float, float]:
    return 0.97 * figure, 1.03 * figure


def untrue(watch: Watch) -> dict[tuple[str, str], float]:
    """Figures that are not the truth now."""
    late = {name: late_s(watch, name) for name in (ROOMY, FULL)}
    known = truths(shown(watch, f"{GOODPUT} A"), late)
    return {
        (service, panel): figure
        for (service, panel), (low, high) in known.items()
        if not low <= (figure := shown(watch, panel).get(service, math.nan)) <= high
    }


def test_a_known_wait_shows_as_what_it_is_and_no_request_is_lost(watch: Watch) -> None:
    assert watch.start(ROOMY, FULL, users=2 * USERS_EACH, **WAIT)["success"]
    missing: dict[tuple[str, str], float] = dict.fromkeys(truths({}, {}), math.nan)

    def all_seen() -> bool:
        now = untrue(watch)
        for key in list(missing):
            if key in now:
                missing[key] = now[key]
            else:
                del missing[key]
        return not missing

    assert eventually(all_seen, every_s=1), missing
    for panel in PANELS:
        if panel.startswith("comparison") and "annotation" not in panel:
            assert eventually(lambda wanted=panel: shown(watch, wanted).keys() >= {ROOMY, FULL})  # type: ignore[misc]
    assert eventually(
        lambda: said(watch, FULL) == "3 of 3 slots busy, 0 more in hand, 27 wait outside"
    ), said(watch, FULL)
    assert eventually(
        lambda: said(watch, ROOMY) == "30 of 40 slots busy, 0 more in hand, 0 wait outside"
    ), said(watch, ROOMY)
    watch.press_stop()
    rest = watch.number("vector(time())") + AT_REST_S
    assert eventually(lambda: watch.number("vector(time())") > rest, every_s=1)
    for letter in "AB":
        over = watch.query(f"max_over_time({PANELS[f'{ONE_SIDED} {letter}']}[2m])")
        assert {each["metric"]["service"] for each in over} >= {ROOMY, FULL}
        assert [each for each in over if float(each["value"][1]) > 0] == []
