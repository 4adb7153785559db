"""What happens to a service shows on the dashboards, by its name, and then no more."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from itertools import pairwise

import psutil
import pytest

from loadtest.system.paths import ROOT
from tests.native.live.watch import Watch, interval_s
from tests.waiting import eventually

SERVICE, OTHER = "flask-sync", "fastapi-async"
# CPU time that begins at 0 shows that it was started again: so much more than two starts differ.
BUSY_CPU_S = 2
CPU = f'lab_process_cpu_seconds_total{{service="{SERVICE}"}}'
AWAY, AGAIN, WORKER = "away", "started again", "lost a worker"


def incidents(watch: Watch, service: str = SERVICE) -> set[str]:
    """What the page *One service* marks now."""
    dashboard = json.loads((ROOT / "grafana" / "dashboards" / "service.json").read_text())
    _, annotation = dashboard["annotations"]["list"]
    found = watch.query(annotation["expr"].replace("$service", service))
    assert all(float(each["value"][1]) >= 1 for each in found), "Grafana draws no less"
    return {each["metric"]["what"] for each in found}


def ever(watch: Watch, service: str, begin: float) -> set[str]:
    """What was marked since `begin` (seconds since 1970)."""
    selector = f'service:incidents:count{{service="{service}"}}'
    return {each.labels["what"] for each in watch.samples(selector, begin, time.time())}


def by_stalls(watch: Watch, begin: float) -> set[str]:
    """What a stall of the machine has marked, if one has made Prometheus a second late or more."""
    times = [each.times for each in watch.samples('up{job="services"}', begin, time.time())]
    late = any(b - a > interval_s() + 1 for each in times for a, b in pairwise(each))
    return {AWAY} if late else set()


def processes(watch: Watch) -> list[psutil.Process]:
    """All of the service: what shows its metrics, the server, and its workers."""
    first = psutil.Process(watch.lab.pid(SERVICE))
    return [first, *first.children(recursive=True)]


def send(what: signal.Signals, to: list[psutil.Process]) -> None:
    """Send a signal to those that still live."""
    for process in to:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(what)


def a_worker(watch: Watch) -> int:
    """The id of a worker that lives."""
    counted = watch.query(f'lab_worker_requests_total{{service="{SERVICE}"}}')
    return min(
        {each.pid for each in processes(watch)}
        & {int(each["metric"]["worker"]) for each in counted}
    )


@pytest.fixture
def begin(watch: Watch) -> float:
    """When nothing was the matter any more."""
    assert eventually(lambda: not incidents(watch) | incidents(watch, OTHER))
    return time.time()


def test_a_killed_service_is_away_until_it_is_started_again(watch: Watch, begin: float) -> None:
    spent = watch.number(CPU)
    assert watch.start(SERVICE, users=8, scenario="json", parameters="", load="closed")["success"]
    assert eventually(lambda: watch.number(CPU) > spent + BUSY_CPU_S)
    watch.press_stop()
    send(signal.SIGKILL, processes(watch))
    assert eventually(lambda: incidents(watch) == {AWAY})
    watch.lab.restart(SERVICE)
    assert eventually(lambda: incidents(watch) == {AGAIN})
    assert eventually(lambda: not incidents(watch))
    assert ever(watch, OTHER, begin) <= by_stalls(watch, begin)


def test_a_paused_service_is_away_and_goes_on_where_it_was(watch: Watch, begin: float) -> None:
    paused = processes(watch)
    send(signal.SIGSTOP, paused)
    try:
        assert eventually(lambda: incidents(watch) == {AWAY})
    finally:
        send(signal.SIGCONT, paused)
    assert eventually(lambda: not incidents(watch))
    watch.until_scraped_again()
    assert ever(watch, SERVICE, begin) == {AWAY}
    assert ever(watch, OTHER, begin) <= by_stalls(watch, begin)


def test_a_worker_that_is_killed_is_missed(watch: Watch, begin: float) -> None:
    os.kill(a_worker(watch), signal.SIGKILL)
    assert eventually(lambda: incidents(watch) == {WORKER})
    assert eventually(lambda: not incidents(watch))
    assert ever(watch, SERVICE, begin) - by_stalls(watch, begin) == {WORKER}
    assert ever(watch, OTHER, begin) <= by_stalls(watch, begin)
