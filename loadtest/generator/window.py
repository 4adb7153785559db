"""The measured window of a headless run: warm up, measure, gather every process's part."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import MasterRunner

from loadtest.engine.sse.times import EventTimes
from loadtest.engine.tally import Tally
from loadtest.generator.generator import Generator
from loadtest.model.load import SLICE_S, LoadResult

WINDOW_MESSAGE = "lab_window"
WINDOW_GRACE_S = 30.0

# Fields of a LoadResult that a tally has under the same name.
_AS_TALLIED = (
    *("duration_s", "planned_s", "longest_pause_s", "stood_still_s", "paused_s"),
    *("sent", "answered", "failed", "unfinished", "unsendable", "reconnects", "resent"),
    *("answered_after", "oldest_s", "slowest_s"),
)

logger = logging.getLogger(__name__)


class Window:
    """One measured window over one process or many.

    `generator` gives the process's generator; `entered` is told each phase by name ("warm-up",
    "measured", "done").
    """

    def __init__(
        self,
        environment: Environment,
        generator: Callable[[], Generator | None],
        *,
        warmup_s: float,
        duration_s: float,
        entered: Callable[[str], None],
    ) -> None:
        self._environment = environment
        self._generator = generator
        self._warmup_s = warmup_s
        self._duration_s = duration_s
        self._entered = entered
        self._parts: dict[str, dict[str, Any]] = {}
        self._own: dict[str, Any] | None = None

    def join(self) -> None:
        """On a worker: measure when the master says so, report with the worker's next report."""
        runner = self._environment.runner
        assert runner is not None
        runner.register_message(WINDOW_MESSAGE, self._on_message, concurrent=True)
        listen(self._environment.events.report_to_master, self._on_report)

    def gather(self) -> None:
        """On the master: keep what workers report."""
        listen(self._environment.events.worker_report, self._on_worker_report)

    def run(self, path: Path) -> None:
        """Measure here, or on every worker, and write the LoadResult to `path`."""
        self._entered("warm-up")
        runner = self._environment.runner
        if isinstance(runner, MasterRunner):
            parts = self._measure_on_workers(runner)
            self._entered("done")
        else:
            parts = [self._measure()]
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(_result(parts, self._warmup_s))))
        partial.rename(path)

    def _measure(self) -> dict[str, Any]:
        generator = self._generator()
        if generator is None:
            raise RuntimeError("the load did not start")
        engine, runner = generator.engine, self._environment.runner
        assert runner is not None
        # A user that Locust has spawned is not a connection yet.
        while not generator.opened(runner.user_count):
            generator.require_running()
            gevent.sleep(0.02)
        engine.measure(self._warmup_s, self._duration_s, self._entered)
        gevent.sleep(self._warmup_s)
        while not engine.measured:
            generator.require_running()
            gevent.sleep(0.005)
        while engine.waits_for_more:
            generator.require_running()
            gevent.sleep(0.01)
        engine.settle()
        measured, beside = Tally(), Tally()
        for stream, tally in engine.tallies.items():
            (beside if stream in generator.beside.values() else measured).merge(tally)
        return {
            "started_at": engine.window_started_at,
            "tally": measured.to_message(),
            "beside": beside.to_message() if generator.beside else None,
        }

    def _measure_on_workers(self, runner: MasterRunner) -> list[dict[str, Any]]:
        expected = runner.worker_count
        runner.send_message(
            WINDOW_MESSAGE, {"warmup_s": self._warmup_s, "duration_s": self._duration_s}
        )
        with gevent.Timeout(self._warmup_s + self._duration_s + WINDOW_GRACE_S, False):
            while len(self._parts) < expected:
                gevent.sleep(0.05)
        if len(self._parts) < expected:
            raise RuntimeError(f"{expected - len(self._parts)} of {expected} workers went missing")
        return list(self._parts.values())

    def _on_message(self, environment: Environment, msg: Any, **_: Any) -> None:  # noqa: ARG002
        self._warmup_s, self._duration_s = msg.data["warmup_s"], msg.data["duration_s"]
        self._own = self._measure()

    def _on_report(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002
        if self._own is not None:
            data[WINDOW_MESSAGE], self._own = self._own, None

    def _on_worker_report(self, client_id: str, data: Mapping[str, Any]) -> None:
        if WINDOW_MESSAGE in data:
            self._parts[client_id] = data[WINDOW_MESSAGE]


def listen(hook: Any, listener: Callable[..., None]) -> None:
    """Add a listener to one of Locust's events, which are untyped."""
    hook.add_listener(listener)


def _result(parts: list[dict[str, Any]], warmup_s: float) -> LoadResult:
    started_at = datetime.fromtimestamp(min(part["started_at"] for part in parts), UTC)
    measured, beside = (
        _told([part[name] for part in parts if part[name]], started_at, warmup_s)
        for name in ("tally", "beside")
    )
    assert measured is not None
    return replace(measured, beside=beside)


def _told(
    tallies: list[dict[str, Any]], started_at: datetime, warmup_s: float
) -> LoadResult | None:
    """What the processes' tallies say together; None where there is none."""
    if not tallies:
        return None
    total = Tally()
    for tally in tallies:
        total.merge(Tally.from_message(tally))
    return LoadResult(
        **{name: getattr(total, name) for name in _AS_TALLIED},
        started_at=started_at.isoformat(),
        warmup_s=warmup_s,
        errors=dict(total.errors),
        goodput_rps=total.answered / total.duration_s,
        received_bytes=total.received,
        response_us=total.response.encode(),
        service_us=total.service_time.encode(),
        send_late_us=total.late.encode(),
        mean_in_flight=total.in_flight_s / total.duration_s,
        generator_cpu=total.cpu_s / total.duration_s,
        sent_in_warmup=total.sent_before,
        failed_in_warmup=total.failed_before,
        boundary_s=total.unfinished_s - total.carried_s,
        timeline=_timeline(total, warmup_s),
        failed_after=dict(total.failed_after),
        response_after_us=total.response_after.encode(),
        service_after_us=total.service_time_after.encode(),
        **_events(total.events),
    )


def _events(times: EventTimes) -> dict[str, Any]:
    """Nothing where nothing was streamed."""
    if not (times.lost or times.unheard or times.first.total or times.gaps.total):
        return {}
    return {
        "lost_events": times.lost,
        "unheard": times.unheard,
        "silent": times.silent,
        "first_event_us": times.first.encode() if times.first.total else "",
        "event_gap_us": times.gaps.encode() if times.gaps.total else "",
    }


def _timeline(total: Tally, warmup_s: float) -> tuple[dict[str, float], ...]:
    """Warm-up and window, slices in which nothing ended as well; less than a slice is left out."""
    first = -int(warmup_s / SLICE_S + 1e-9)
    last = math.floor(total.duration_s / SLICE_S - 0.5)
    return tuple(
        {
            "t": number * SLICE_S,
            "answered": total.slices[number].answered,
            "failed": total.slices[number].failed,
            "p50_ms": total.slices[number].response.percentile_us(50) / 1000,
            "max_ms": total.slices[number].response.percentile_us(100) / 1000,
        }
        for number in range(first, max(last, *total.slices, 0) + 1)
    )
