"""What the slot check says of services that declare the wrong thing."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest

from loadtest.backends.native import Lab
from loadtest.contract import slots
from loadtest.contract.slots import SlotError, SlotReport

# Such a service closes its sessions, and one outlives its client by a moment.
ROOMY = 40
HONEST = SlotReport(
    service="x",
    declared=8,
    bound_by="pool",
    observed=8,
    backends=8,
    backends_allowed=8,
    keep_alive_p50_ms=0.4,
    worker_requests={"1": 30, "2": 40},
)


@contextmanager
def service(
    database_url: str, name: str, about: dict[str, Any], *, really: int, begins_in_s: float = 0
) -> Iterator[str]:
    """A service that declares `about` and lets `really` requests wait at once.

    It begins one request after another, each in `begins_in_s`: it gets little CPU.
    """
    room, core = threading.Semaphore(really), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/wait"):
                ms = int(self.path.partition("?ms=")[2])
                with room, psycopg.connect(database_url, application_name=name) as connection:
                    with core:
                        time.sleep(begins_in_s)
                    connection.execute("SELECT pg_sleep(%s)", (ms / 1000,))
            body = json.dumps(about).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            with contextlib.suppress(ConnectionError):  # its client may have given up
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def observe(
    lab: Lab, name: str, declared: int, pool: int, really: int, begins_in_s: float = 0
) -> SlotReport:
    about = {"slots": declared, "slots_bound_by": "pool", "workers": 1, "pool_size": pool}
    given = service(lab.database_url, name, about, really=really, begins_in_s=begins_in_s)
    with given as url:
        return slots.observe(url, f"{url}/metrics", lab.database_url, name)


def test_a_service_that_tells_the_truth_passes(lab: Lab) -> None:
    report = observe(lab, "honest", declared=3, pool=ROOMY, really=3)
    assert (report.observed, report.failures) == (3, ())


def test_a_service_without_keep_alive_is_told_apart(lab: Lab) -> None:
    # BaseHTTPRequestHandler speaks HTTP/1.0 unless told otherwise.
    report = observe(lab, "brief", declared=1, pool=1, really=1)
    assert report.keep_alive_p50_ms is None
    assert any("no keep-alive" in warning for warning in report.warnings)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bursts that end soon where the slots are not full."""
    monkeypatch.setattr(slots, "SHORT_MS", 100)
    monkeypatch.setattr(slots, "LONG_MS", 800)
    monkeypatch.setattr(slots, "LONGEST_BURST_S", 1.0)


@pytest.mark.usefixtures("short")
def test_a_service_that_promises_too_much_fails(lab: Lab) -> None:
    report = observe(lab, "braggart", declared=3, pool=ROOMY, really=2)
    assert report.failures == ("/about declares 3 slots (pool), but 2 requests waited at once",)
    assert report.failures == report.doubtful


@pytest.mark.usefixtures("short")
def test_far_too_few_slots_are_told_though_the_longer_waits_get_no_answer(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "LONG_MS", 2000)
    monkeypatch.setattr(slots, "ANSWERED_S", 10.0)
    report = observe(lab, "boaster", declared=4, pool=ROOMY, really=1)
    assert report.failures == ("/about declares 4 slots (pool), but 1 request waited at once",)


@pytest.mark.usefixtures("short")
def test_a_service_that_begins_slowly_gets_longer_waits(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it has begun a fourth, the first has waited its 100 ms."""
    monkeypatch.setattr(slots, "LONG_MS", 1600)
    report = observe(lab, "slow", declared=5, pool=ROOMY, really=5, begins_in_s=0.05)
    assert (report.observed, report.failures) == (5, ())


@pytest.mark.usefixtures("short")
def test_slowness_excuses_no_promise(lab: Lab) -> None:
    report = observe(lab, "slow-braggart", declared=4, pool=ROOMY, really=3, begins_in_s=0.05)
    assert (report.observed, len(report.failures)) == (3, 1)


def test_a_service_that_takes_more_than_it_says_fails_twice(lab: Lab) -> None:
    report = observe(lab, "glutton", declared=2, pool=2, really=4)
    assert (report.observed, len(report.failures)) == (4, 2)
    assert "workers × pool is 2" in report.failures[1]
    assert report.failures == report.certain


def test_a_wait_without_an_answer_in_time_is_one_clear_error(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "LONGEST_BURST_S", 0.1)
    monkeypatch.setattr(slots, "ANSWERED_S", 0.1)
    with pytest.raises(SlotError, match="service stuck: timed out"):
        observe(lab, "stuck", declared=1, pool=ROOMY, really=1)


def test_a_service_that_is_away_is_one_clear_error(lab: Lab) -> None:
    with pytest.raises(SlotError, match=r"service ghost: .*refused"):
        slots.observe("http://127.0.0.1:9", "http://127.0.0.1:9", lab.database_url, "ghost")


def test_a_database_that_is_away_is_one_clear_error(lab: Lab) -> None:
    about = {"slots": 1, "slots_bound_by": "pool", "workers": 1, "pool_size": 1}
    with (
        service(lab.database_url, "x", about, really=1) as url,
        pytest.raises(SlotError, match=r"service x: Postgres: .*refused"),
    ):
        slots.observe(url, url, "postgresql://lab@127.0.0.1:9/lab", "x")


def test_an_honest_report_has_nothing_to_say() -> None:
    assert (HONEST.failures, HONEST.warnings) == ((), ())


@pytest.mark.parametrize(
    ("requests", "uneven"),
    [
        ({"1": 30, "2": 45}, False),
        ({"1": 30, "2": 46}, True),
        ({"1": 0, "2": 9}, True),
        ({}, False),
    ],
)
def test_uneven_workers_are_a_warning(requests: dict[str, int], uneven: bool) -> None:
    report = SlotReport(**{**vars(HONEST), "worker_requests": requests})
    assert any("uneven workers" in warning for warning in report.warnings) == uneven
    assert report.failures == ()


@pytest.mark.parametrize(("took_ms", "blamed"), [(5.0, False), (20.0, False), (44.0, True)])
def test_slow_keep_alive_is_a_failure_that_names_the_suspect(took_ms: float, blamed: bool) -> None:
    report = SlotReport(**{**vars(HONEST), "keep_alive_p50_ms": took_ms})
    [failure] = report.doubtful
    assert report.certain == ()
    assert f"{took_ms:.0f} ms" in failure
    assert ("TCP_NODELAY" in failure) == blamed
