"""The service's side of a trial, seen through its metrics."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
import urllib.error
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from loadtest.backends.native import Lab
from loadtest.run import sampler
from loadtest.run.sampler import Sampler, parse
from loadtest.system import urls
from tests.waiting import eventually

METRICS = """\
# TYPE lab_process_cpu_seconds_total counter
lab_process_cpu_seconds_total {cpu}
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{{http_route="/json",le="+Inf"}} {json}
http_server_request_duration_seconds_count{{http_route="/json"}} {json}
http_server_request_duration_seconds_bucket{{http_route="/healthz",le="+Inf"}} {cpu}
http_server_request_duration_seconds_count{{http_route="/healthz"}} {cpu}
# TYPE lab_process_pss_bytes gauge
lab_process_pss_bytes 1048576
# TYPE lab_worker_requests_total counter
lab_worker_requests_total{{worker="7"}} {cpu}
lab_worker_requests_total{{worker="8"}} {json}
# TYPE lab_workers_ended_total counter
lab_workers_ended_total 2
# TYPE lab_threads gauge
lab_threads 5
# TYPE http_server_active_requests gauge
http_server_active_requests 2
# TYPE lab_scheduling_lag_seconds gauge
lab_scheduling_lag_seconds{{kind="thread"}} 0.5
lab_scheduling_lag_seconds{{kind="event_loop"}} 0.25
# TYPE db_client_connection_count gauge
db_client_connection_count{{state="used"}} 3
db_client_connection_count{{state="idle"}} 4
# TYPE db_client_connection_pending_requests gauge
db_client_connection_pending_requests 7
"""

CPU_ALONE = b"# TYPE lab_process_cpu_seconds_total counter\nlab_process_cpu_seconds_total 1.0\n"


class Service(http.server.BaseHTTPRequestHandler):
    """Metrics whose CPU grows by a second each time; every second answer is an error."""

    asked = 0
    failing = False
    second = threading.Event()  # the second answer comes once it is set

    def do_GET(self) -> None:
        Service.asked += 1
        if Service.asked == 2:
            assert Service.second.wait(30)
        self.send_response(503 if Service.failing and Service.asked % 2 else 200)
        self.end_headers()
        self.wfile.write(METRICS.format(cpu=Service.asked, json=1000 * Service.asked).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    Service.asked, Service.failing = 0, False
    Service.second.set()
    with http.server.HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/metrics"
        server.shutdown()
        thread.join()


def test_samples_have_every_series_and_time_counts_from_the_window(url: str) -> None:
    began = datetime.now(UTC).isoformat()
    with Sampler("toy", url, None, interval_s=0.01) as sampling:
        assert eventually(lambda: Service.asked >= 4)
    samples = sampling.samples(began)
    assert len(samples) >= 2
    first = samples[0]
    assert (first.pss_bytes, first.threads, first.in_flight) == (1_048_576, 5, 2)
    assert (first.pool_used, first.pool_pending, first.scheduling_lag_s) == (3, 7, 0.5)
    assert first.database_connections is None
    assert max(each.cpu for each in samples) > 1, "a second of CPU in far less than a second"
    assert 0 < first.t < samples[-1].t


def test_a_look_that_is_asked_for_comes_at_once(url: str) -> None:
    with Sampler("toy", url, None, interval_s=3600) as sampling:
        assert eventually(lambda: Service.asked == 1)
        sampling.look()
        assert eventually(lambda: len(sampling.samples(datetime.now(UTC).isoformat())) == 1)
    assert Service.asked == 3, "the last look comes as the context closes"


def test_the_last_look_begins_after_the_end_though_one_is_under_way(url: str) -> None:
    Service.second.clear()
    with Sampler("toy", url, None, interval_s=0.01) as sampling:
        assert eventually(lambda: Service.asked == 2)
        answers = threading.Timer(0.2, Service.second.set)  # by then the context closes
        answers.start()
    answers.join()
    assert Service.asked == 3
    assert sampling.counted() == 2000


def test_no_text_is_parsed_while_a_window_may_be_measured(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold the interpreter, and what the lab reads at the window's ends came late."""
    parsed: list[bytes] = []

    def noted(text: bytes) -> dict[str, float]:
        parsed.append(text)
        return parse(text)

    monkeypatch.setattr(sampler, "parse", noted)
    with Sampler("toy", url, None, interval_s=0.01) as sampling:
        assert eventually(lambda: Service.asked >= 4)
    assert not parsed, "parsed while the context was open"
    asked_for(sampling)
    assert len(parsed) == Service.asked
    asked_for(sampling)
    assert len(parsed) == Service.asked, "each once"


def asked_for(sampling: Sampler) -> None:
    """All that there is to ask."""
    began = datetime.now(UTC).isoformat()
    found = sampling.samples(began), sampling.looks(began), sampling.counted(), sampling.by_worker()
    assert all(found)


def test_what_the_service_counted_is_told_without_what_starts_and_watches_it(url: str) -> None:
    with Sampler("toy", url, None, interval_s=3600) as sampling:
        asked = Service.asked
    assert (asked, Service.asked) == (1, 2)
    assert sampling.counted() == 1000
    assert sampling.by_worker() == (1000, 1)


def test_the_count_of_a_service_that_has_just_started_is_told(url: str) -> None:
    Service.asked = -1  # the first look finds no CPU time yet
    with Sampler("toy", url, None, interval_s=3600) as sampling:
        pass
    assert sampling.counted() == 1000


def test_a_route_that_nobody_has_asked_yet_has_no_count(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is at the first look at a service that was started anew for its trial."""
    found = iter([CPU_ALONE, urls.read(url, 2.0)])
    monkeypatch.setattr(urls, "read", lambda *_: next(found))
    with Sampler("toy", url, None, interval_s=3600) as sampling:
        pass
    assert sampling.counted() == 1000


def test_a_count_that_could_not_be_read_is_none(url: str) -> None:
    Service.failing = True
    with Sampler("toy", url, None, interval_s=3600) as sampling:
        pass
    assert sampling.counted() is None
    assert sampling.by_worker() == (0, 0)  # between one look and itself


def test_a_look_that_fails_leaves_a_gap_and_no_error(url: str) -> None:
    Service.failing = True
    with Sampler("toy", url, None, interval_s=0.01) as sampling:
        assert eventually(lambda: Service.asked >= 6)
    assert 1 <= len(sampling.samples(datetime.now(UTC).isoformat())) < Service.asked


def test_postgres_is_looked_at_though_the_service_answers_nothing(lab: Lab) -> None:
    with psycopg.connect(lab.database_url, autocommit=True, application_name="guest") as guest:
        waiting = threading.Thread(target=_until_cancelled, args=[guest])
        waiting.start()
        try:
            with Sampler("toy", "http://127.0.0.1:1/metrics", lab.database_url, 0.01) as sampling:
                assert eventually(lambda: _looked(sampling) and _looked(sampling)[-1] >= 1)
        finally:
            guest.cancel()
            waiting.join()
    assert sampling.samples(datetime.now(UTC).isoformat()) == ()


def _until_cancelled(guest: psycopg.Connection) -> None:
    with contextlib.suppress(psycopg.errors.QueryCanceled):
        guest.execute("SELECT pg_sleep(60)")


def _looked(sampling: Sampler) -> list[int]:
    """Sessions of others at each look so far."""
    found = [each.foreign_sessions for each in sampling.looks(datetime.now(UTC).isoformat())]
    return [each for each in found if each is not None]


def test_each_look_is_kept_and_says_whether_anybody_listened(url: str) -> None:
    Service.failing = True
    with Sampler("toy", url, None, interval_s=0.01) as sampling:
        assert eventually(lambda: Service.asked >= 4)
    looks = sampling.looks(datetime.now(UTC).isoformat())
    assert all(look.began <= look.ended < 0 for look in looks), "timed from now"
    assert {look.cpu_s is None for look in looks} == {True, False}
    assert {look.workers_ended for look in looks} == {2, None}
    assert not any(look.away for look in looks), "a bad answer is one"


@pytest.mark.parametrize("text", [b"<html>It works!</html>", b"lab_threads \xff\n", b""])
def test_a_text_that_is_no_metrics_leaves_a_look_in_vain(
    text: bytes, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([urls.read(url, 2.0), text])
    monkeypatch.setattr(urls, "read", lambda *_: next(found))
    with Sampler("toy", url, None, interval_s=3600) as sampling:
        pass
    good, vain = sampling.looks(datetime.now(UTC).isoformat())
    assert (good.cpu_s, good.workers_ended, good.away) == (1, 2, False)
    assert (vain.cpu_s, vain.workers_ended, vain.away) == (None, None, False)
    assert sampling.samples(datetime.now(UTC).isoformat()) == ()
    assert sampling.counted() is None


def test_nobody_listens_where_a_service_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sampler("toy", "http://127.0.0.1:9/metrics", None, interval_s=0.01) as ended:
        pass

    def nameless(*_: object) -> None:
        raise urllib.error.URLError(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))

    monkeypatch.setattr(urls, "read", nameless)
    with Sampler("toy", "http://service:9000/metrics", None, interval_s=0.01) as removed:
        pass
    for sampling in (ended, removed):
        assert {look.away for look in sampling.looks(datetime.now(UTC).isoformat())} == {True}


def test_nothing_there_is_no_error_either() -> None:
    with Sampler("toy", "http://127.0.0.1:9/metrics", None, interval_s=0.01) as sampling:
        pass
    assert sampling.samples(datetime.now(UTC).isoformat()) == ()


@pytest.mark.parametrize("text", [b"<html>It works!</html>", b"lab_threads \xff\n"])
def test_scrape_refuses_a_text_that_is_no_metrics(
    text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urls, "read", lambda *_: text)
    with pytest.raises(ValueError, match=r"invalid metric name|can't decode"):
        sampler.scrape("http://127.0.0.1:9/metrics")


def test_scrape_keeps_the_states_of_the_pool_apart(url: str) -> None:
    found = sampler.scrape(url)
    assert found["db_client_connection_count:used"] == 3
    assert found["db_client_connection_count:idle"] == 4
