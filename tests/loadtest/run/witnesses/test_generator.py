from __future__ import annotations

import signal
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from loadtest.model.load import Load
from loadtest.run.ceiling import nullserver
from loadtest.run.forkserver import ForkServer
from loadtest.run.load import run
from loadtest.run.witnesses import generator
from tests.loadtest.run.test_gates import GOOD


@pytest.mark.parametrize(
    ("stood_still_s", "duration_s", "passed"),
    [(0.0, 10.0, True), (0.49, 10.4, True), (0.51, 10.0, False), (0.0, 10.6, False)],
)
def test_a_twentieth_of_the_window_is_the_limit(
    stood_still_s: float, duration_s: float, passed: bool
) -> None:
    result = replace(
        GOOD,
        planned_s=10.0,
        duration_s=duration_s,
        stood_still_s=stood_still_s,
        longest_pause_s=stood_still_s,
    )
    gate = generator.kept_going(result)
    assert (gate.passed, gate.disturbance) == (passed, True)
    assert "the window of 10 s lasted" in gate.detail


def test_an_older_record_passes() -> None:
    assert generator.kept_going(GOOD).passed


@pytest.mark.timed
def test_a_generator_that_is_stopped_is_seen(tmp_path: Path) -> None:
    with nullserver.running(tmp_path, nginx=None) as url, ForkServer() as forks:

        def stop(phase: str) -> None:
            if phase == "measured":
                time.sleep(0.2)
                server = forks.pid
                assert server
                halted = psutil.Process(server).children(recursive=True)
                for each in halted:
                    each.send_signal(signal.SIGSTOP)
                time.sleep(0.6)
                for each in halted:
                    each.send_signal(signal.SIGCONT)

        result = run(
            Load("closed", 4),
            target=url,
            service="null",
            scenario="json",
            parameters={},
            warmup_s=0.2,
            duration_s=1.0,
            seed=1,
            forks=forks,
            entered=stop,
        )
    assert result.planned_s == 1.0
    assert result.longest_pause_s is not None
    assert result.longest_pause_s > 0.5
    gate = generator.kept_going(result)
    assert not gate.passed, gate.detail
