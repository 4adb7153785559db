"""Under load everything that the dashboards ask for is there, and all sides count the same."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loadtest.generator.exporter import BOUNDS_S
from loadtest.model.load import Load, LoadResult
from loadtest.run import load
from loadtest.run.forkserver import ForkServer
from tests.native.live.panels import expressions
from tests.native.live.watch import Watch
from tests.waiting import eventually

ROOMY, FULL = "fastapi-async", "flask-sync"
UNTOUCHED = "starlette"  # no test restarts it: figures of five minutes are there at once
PEACEFUL = (ROOMY, FULL, "flask-gthread")
USERS_EACH = 20
BOUND, BOUND_RULE = "comparison: Goodput against slots ÷ wait B", "service:goodput_bound:rate"
RUNNING = "postgres: Queries that run now A"
WAIT = {"scenario": "wait", "parameters": "ms=150", "load": "closed", "think_ms": "0"}
MIXED = {"scenario": "mixed", "parameters": "", "load": "closed", "think_ms": "20"}


def has_data(watch: Watch, expression: str) -> bool:
    return any(not math.isnan(float(each["value"][1])) for each in watch.query(expression))


def test_every_expression_of_every_dashboard_and_rule_has_data(watch: Watch) -> None:
    assert watch.start(ROOMY, FULL, UNTOUCHED, users=3 * USERS_EACH, **MIXED)["success"]
    missing = expressions(ROOMY, FULL, UNTOUCHED)
    of_a_wait = {  # a scenario of many routes has no one wait, and no query that lasts
        where: missing.pop(where)
        for where in list(missing)
        if where in (BOUND, f"rule {BOUND_RULE}", RUNNING)
    }

    def all_found() -> bool:
        for where, expression in list(missing.items()):
            if has_data(watch, expression):
                del missing[where]
        return not missing

    assert eventually(all_found), missing
    missing |= of_a_wait
    watch.press_stop()
    assert watch.start(ROOMY, FULL, users=2 * USERS_EACH, **WAIT)["success"]
    assert eventually(all_found), missing


def test_locust_prometheus_and_the_service_agree(watch: Watch) -> None:
    service = "flask-gthread"
    watch.until_scraped_again()
    served, asked = watch.number(served_by(service)), watch.number(asked_of(service))
    assert watch.start(service, users=USERS_EACH, **WAIT)["success"]
    assert eventually(lambda: watch.requests(service) > 15 * USERS_EACH)
    seen_by_prometheus = f"service:load_response_seconds:p95_10s{of(service)}"
    assert eventually(
        lambda: bucket(watch.number(seen_by_prometheus)) == bucket(p95_of_locust(watch, service))
    )
    watch.stop()
    counted = watch.requests(service)
    assert watch.number(asked_of(service)) - asked == counted
    # What was in hand when the load stopped, the service may answer all the same.
    assert 0 <= watch.number(served_by(service)) - served - counted <= USERS_EACH


@pytest.fixture(scope="module")
def peaceful(watch: Watch) -> Mapping[str, tuple[LoadResult, float]]:
    """Loads that end in peace, all at once: what each has seen, and by how much its service's own
    count has grown.
    """
    watch.until_scraped_again()
    before = {name: watch.number(served_by(name)) for name in PEACEFUL}
    with ForkServer() as forks, ThreadPoolExecutor(len(PEACEFUL)) as threads:
        results = list(threads.map(lambda name: asked_in_peace(watch, name, forks), PEACEFUL))
    watch.until_scraped_again()
    return {
        name: (result, watch.number(served_by(name)) - before[name])
        for name, result in zip(PEACEFUL, results, strict=True)
    }


def asked_in_peace(watch: Watch, service: str, forks: ForkServer) -> LoadResult:
    return load.run(
        Load("closed", 3),
        target=watch.lab.services[service].url(),
        service=service,
        scenario="wait",
        parameters={"ms": 20},
        warmup_s=0.5,
        duration_s=2,
        seed=1,
        forks=forks,
    )


@pytest.mark.parametrize("service", PEACEFUL)
def test_a_load_that_ends_in_peace_is_counted_exactly_by_the_service(
    service: str, peaceful: Mapping[str, tuple[LoadResult, float]]
) -> None:
    result, served = peaceful[service]
    assert result.mean_in_flight > 2.5, "a headless load has the users it asks for, and no shape"
    assert served == result.sent_in_warmup + result.sent


def of(service: str) -> str:
    return f'{{service="{service}"}}'


def served_by(service: str) -> str:
    return f'http_server_request_duration_seconds_count{{service="{service}",http_route="/wait"}}'


def asked_of(service: str) -> str:
    return f'lab_load_requests_total{{service="{service}",scenario="wait"}}'


def p95_of_locust(watch: Watch, service: str) -> float:
    (entry,) = [each for each in watch.statistics()["stats"] if each["name"] == f"{service} /wait"]
    return float(entry["response_time_percentile_0.95"]) / 1000


def bucket(seconds: float) -> int:
    return bisect_left(BOUNDS_S, seconds)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_count", "-5"),
        ("parameters", "ms=soon"),
        ("scenario", "none"),
        ("shape_class", "none"),
        ("user_classes", "none"),
        ("lab_duration", "soon"),
        ("web_port", "none"),
    ],
)
def test_absurd_values_never_reach_the_load(watch: Watch, field: str, value: str) -> None:
    fields = dict(WAIT) | {field: value}
    users = fields.pop("user_count", "1")
    answer = watch.start(ROOMY, users=int(users), **fields)
    assert not answer["success"]
    assert answer["message"]
    assert watch.statistics()["user_count"] == 0


def test_a_shape_adds_users_by_itself(watch: Watch) -> None:
    answer = watch.start(ROOMY, users=2, shape_class="StepUp", **WAIT)
    assert answer["message"].endswith("'StepUp'")
    assert eventually(lambda: watch.statistics()["user_count"] == 1)
    assert eventually(lambda: watch.statistics()["user_count"] == 2)
    assert eventually(lambda: watch.statistics()["state"] == "stopped"), "at the end it stops"
    assert watch.start(ROOMY, users=3, **WAIT)["success"]
    assert eventually(lambda: watch.statistics()["user_count"] == 3), "the next start has no shape"


def test_the_log_of_the_load_has_no_traceback(watch: Watch) -> None:
    log = Path(watch.lab.state / "logs" / "locust.log").read_text()
    assert "Traceback" not in log
