"""Measured percentiles against servers whose response times are known."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.engine.engine import Engine
from loadtest.engine.kinds import poisson
from loadtest.stats.histogram import Histogram
from tests.driving import drive, measured_right

pytestmark = pytest.mark.waits

RATE, SEED = 200.0, 5
FREEZE, FREEZE_DELAY, FREEZE_SECONDS = (1.0, 3.0), 0.01, 4.0


@contextlib.contextmanager
def delayed(**script: object) -> Iterator[int]:
    """A server with scripted delays; yields its port."""
    path = Path(__file__).with_name("delayed_server.py")
    with subprocess.Popen(
        [sys.executable, str(path), json.dumps(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def open_load() -> dict[str, Any]:
    """Arrivals of an open load on the real clock, which is the one that the server keeps."""
    return {"connections": 600, "arrivals": poisson(RATE, SEED), "engine": Engine()}


def assert_percentiles(found: Histogram, truth_s: dict[int, float]) -> None:
    measured = {percent: found.percentile_us(percent) / 1e6 for percent in truth_s}
    assert measured == pytest.approx(truth_s, rel=0.02)


def test_a_fixed_delay() -> None:
    def measure() -> None:
        with delayed(delays=[1.0]) as port:
            tally = drive(port, seconds=2.0, **open_load())
        truth = dict.fromkeys((1, 50, 90, 99), 1.0)
        assert_percentiles(tally.response, truth)
        assert_percentiles(tally.service_time, truth)

    measured_right(measure)


def test_two_modes() -> None:
    def measure() -> None:
        with delayed(delays=[0.5, 0.5, 0.5, 1.2]) as port:
            tally = drive(port, seconds=3.0, **open_load())
        assert_percentiles(tally.response, {10: 0.5, 50: 0.5, 90: 1.2, 99: 1.2})

    measured_right(measure)


def test_a_freeze_shows_in_open_load() -> None:
    times = list(itertools.takewhile(lambda t: t < FREEZE_SECONDS, poisson(RATE, SEED)))
    begins, ends = (times[0] + moment for moment in FREEZE)
    frozen = [begins <= t + FREEZE_DELAY < ends for t in times]
    truth = sorted(
        (ends - t if stuck else 0.0) + FREEZE_DELAY for t, stuck in zip(times, frozen, strict=True)
    )

    def measure() -> None:
        with delayed(delays=[FREEZE_DELAY], freeze=FREEZE) as port:
            tally = drive(port, seconds=FREEZE_SECONDS, **open_load())
        at = {percent: truth[round(percent / 100 * len(truth)) - 1] for percent in (70, 90, 99)}
        assert_percentiles(tally.response, at)
        assert tally.response.percentile_us(99) > 1_700_000

    measured_right(measure)


def test_a_freeze_hides_in_closed_load() -> None:
    def measure() -> None:
        with delayed(delays=[FREEZE_DELAY], freeze=FREEZE) as port:
            tally = drive(port, connections=5, seconds=FREEZE_SECONDS, engine=Engine())
        assert tally.response.percentile_us(100) > 1_700_000
        assert tally.response.percentile_us(99) < 100_000

    measured_right(measure)
