"""A service is settled once it has nothing in hand, and no sooner; and when it is started anew."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from loadtest.inventory import manifest
from loadtest.inventory.manifest import Service
from loadtest.model.trial import Gate
from loadtest.run import gates, settling
from loadtest.run.measurement import Measurement
from loadtest.run.witnesses import checks
from tests.loadtest.run.test_measurement import Loads, Services, loads, planned

__all__ = ["loads"]  # a fixture

METRICS = "http_server_active_requests {active}\nlab_accept_backlog {backlog}\n"


class Answering(http.server.BaseHTTPRequestHandler):
    """A service with requests in hand that it works off, one between two looks."""

    active = backlog = 0
    ill = False

    def do_GET(self) -> None:
        self.send_response(503 if Answering.ill else 200)
        self.end_headers()
        self.wfile.write(
            METRICS.format(active=Answering.active, backlog=Answering.backlog).encode()
        )
        Answering.active = max(0, Answering.active - 1)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(settling, "SETTLE_PATIENCE_S", 20.0)
    Answering.active, Answering.backlog, Answering.ill = 0, 0, False
    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        declared = manifest.load()["fastapi-async"]
        yield replace(declared, port=server.server_port, metrics_port=server.server_port)
        server.shutdown()
        thread.join()


def test_who_has_nothing_in_hand_is_settled(service: Service) -> None:
    assert settling.settled(service)


def test_what_is_in_hand_is_waited_for(service: Service) -> None:
    Answering.active = 5
    assert not settling.idle(service)
    assert settling.settled(service)


def test_patience_ends(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "SETTLE_PATIENCE_S", 0.5)
    Answering.backlog = 3
    assert not settling.settled(service)


def test_who_does_not_answer_is_not_settled(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "SETTLE_PATIENCE_S", 0.5)
    Answering.ill = True
    assert not settling.settled(service)


@pytest.mark.parametrize(
    ("failed", "restarts"),
    [
        ([Gate("machine to itself", False, 0.3, 0.05, "make took 0.5 s", disturbance=True)], 0),
        ([Gate("machine to itself", False, 0.3, 0.05, "make took 0.5 s", disturbance=True)] * 2, 0),
        ([Gate("service kept running", False, None, None, "a worker ended")], 1),
        (
            [
                Gate("right status", False, 1, 0, "1 answer had status 500"),
                Gate("machine to itself", False, 0.3, 0.05, "make took 0.5 s", disturbance=True),
            ],
            1,
        ),
    ],
    ids=["disturbed", "twice", "broken", "both"],
)
def test_a_service_is_started_anew_where_its_trial_failed_by_itself(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, failed: list[Gate], restarts: int
) -> None:
    """One that was only disturbed goes on as it is, practised as it is."""
    backend, [first, *_] = Services(), planned()
    measuring = Measurement(backend, run_id="r", seed=1)
    with monkeypatch.context() as patch:
        patch.setattr(gates, "check", lambda *_, **__: ())
        patch.setattr(checks, "check", lambda *_: tuple(failed))
        measuring.take(first, 1)
    asked = len(loads.calls)
    measuring.take(first, 2)
    assert len(backend.restarts) == restarts
    assert len(loads.calls) - asked == 1 + restarts
    measuring.take(first, 3)
    assert len(backend.restarts) == restarts + 1, "nobody knows what was wrong with the second"
