"""Percentiles beside a known truth: a server of three slots, and more requests than it can take."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace

import pytest

from loadtest.analysis.observations import mean_wait_ms
from loadtest.engine.after import LET_GO_S
from loadtest.model.load import Load, LoadResult
from loadtest.run.load import run
from loadtest.stats import latencies
from tests.lying_servers import OK, read_request, serving
from tests.synthetic import experiment, trials_of

pytestmark = pytest.mark.waits
SLOTS = 3


def loaded(connections: int, wait_s: float, duration_s: float) -> tuple[LoadResult, float]:
    """A closed load on a server that takes three requests at once, in the order they come.

    And how long each waits for so many answers, in ms, as the server gives them (Little's law).
    """
    slots, answered_at = threading.Semaphore(SLOTS), list[float]()

    def script(connection: socket.socket) -> None:
        while read_request(connection):
            with slots:
                time.sleep(wait_s)
                answered_at.append(time.monotonic())
            connection.sendall(OK)

    with serving(script) as port:
        result = run(
            Load("closed", connections),
            target=f"http://127.0.0.1:{port}",
            service="scripted",
            scenario="json",
            parameters={},
            warmup_s=0.5,
            duration_s=duration_s,
            seed=1,
        )
    # They come in waves, of which the first one has no wait before it.
    each_s = (answered_at[-1] - answered_at[0]) / (len(answered_at) - SLOTS)
    assert each_s > 0.95 * wait_s / SLOTS
    return result, 1000 * connections * each_s


def test_a_window_shorter_than_the_wait_shows_no_percentile_of_the_lucky() -> None:
    result, wait_ms = loaded(connections=128, wait_s=0.1, duration_s=2.0)
    found = latencies.of([result])
    assert found.total > result.answered
    assert found.waiting > 128 - 2 * SLOTS * LET_GO_S / 0.1
    assert [found.percentile(each) for each in (50.0, 90.0, 99.0)] == [None] * 3
    trial = replace(trials_of([experiment()])[0], result=result)
    mean = mean_wait_ms([trial])
    assert mean == pytest.approx(wait_ms, rel=0.15)


def test_a_window_of_four_waits_shows_the_median() -> None:
    result, wait_ms = loaded(connections=24, wait_s=0.05, duration_s=1.6)
    found = latencies.of([result])
    assert result.unfinished == 24
    assert found.waiting == 0
    median = found.percentile(50.0)
    assert median is not None
    assert median.ms == pytest.approx(wait_ms, rel=0.15)
