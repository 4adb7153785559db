"""Made-up runs with known truth: seeded noise over a model of slots, waits and memory."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from loadtest.engine.after import LET_GO_S
from loadtest.model.experiment import Experiment
from loadtest.model.load import Load, LoadResult
from loadtest.model.trial import Gate, Prediction, Sample, Trial
from loadtest.plan.parsing import parse
from loadtest.plan.schedule import PlannedTrial, schedule
from loadtest.results import runs
from loadtest.results import trials as records
from loadtest.stats.histogram import Histogram

RUN_ID = "2026-01-02T03-04-05"
BURST = {"burst": {"slots": 12, "worker_requests": [31, 33, 35]}}


@dataclass(frozen=True)
class Truth:
    """How a made-up service behaves: its slots, and what a request costs."""

    slots: int
    cpu_ms: float = 0.1
    delay_ms: float = 0.0
    kib_per_request: float = 20.0
    threads_per_request: float = 0.0
    base_mib: float = 60.0


TRUTHS = {
    "fastapi-async": Truth(slots=40, cpu_ms=0.25, kib_per_request=25),
    "flask-sync": Truth(slots=3, cpu_ms=0.3, kib_per_request=2, base_mib=90),
    "flask-gthread": Truth(slots=12, cpu_ms=0.32, kib_per_request=60, threads_per_request=0.02),
    "starlette": Truth(slots=40, cpu_ms=0.15),
    "node": Truth(slots=40, cpu_ms=0.03),
    "go": Truth(slots=40, cpu_ms=0.04, kib_per_request=12),
}
DEFAULT = Truth(slots=16)


def document(**changes: Any) -> dict[str, Any]:
    """A small experiment as a TOML document; `changes` replace its keys."""
    return {
        "claim": "C1",
        "headline": True,
        "title": "What happens to the others while one waits?",
        "statement": "A waiting thread does nothing else.",
        "confirms": "Each service stops at slots ÷ wait.",
        "refutes": "It goes on.",
        "services": ["fastapi-async", "flask-sync", "flask-gthread"],
        "reference": "fastapi-async",
        "rounds": 6,
        "warmup_s": 0.5,
        "duration_s": 2.0,
        "scenario": "wait",
        "parameters": {"ms": 100},
        "load": {"kind": "closed"},
        "levels": [{"connections": n} for n in (1, 8, 32, 128)],
        "criteria": [
            {
                "says": "at 128 connections threads answer less than half",
                "service": "flask-gthread",
                "level": "128 connections",
                "ratio_at_most": 0.5,
            }
        ],
    } | changes


def experiment(**changes: Any) -> Experiment:
    """The experiment of `document`."""
    return parse("blocked-threads", document(**changes), where="test")


def trials_of(
    experiments: Sequence[Experiment],
    *,
    seed: int = 7,
    noise: float = 0.02,
    truths: Mapping[str, Truth] = TRUTHS,
    change: Callable[[Trial], Trial] = lambda trial: trial,
) -> list[Trial]:
    """Every trial of a run with drifting noise; `change` may spoil some of them."""
    rng = np.random.default_rng(seed)
    drift = 1.0
    made = []
    for planned in schedule(experiments, seed):
        drift *= float(np.exp(rng.normal(0, 0.003)))
        made.append(
            change(_trial(planned, truths.get(planned.service, DEFAULT), drift, noise, rng))
        )
    return made


def write_run(
    folder: Path,
    experiments: Sequence[Experiment],
    trials: Sequence[Trial],
    **info: Any,
) -> Path:
    """Lay a run down as the runner does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(run_info(experiments, trials) | info))
    (folder / "trials.jsonl").unlink(missing_ok=True)
    for trial in trials:
        records.append(folder / "trials.jsonl", trial)
    return folder


def run_info(experiments: Sequence[Experiment], trials: Sequence[Trial]) -> dict[str, Any]:
    """A run.json of made-up facts."""
    services = sorted({trial.service for trial in trials})
    return {
        "version": runs.RUN_VERSION,
        "run_id": RUN_ID,
        "plan": "quick",
        "budget": "typical",
        "backend": "native",
        "seed": 7,
        "command": "make compare SEED=7",
        "started_at": "2026-01-02T03:04:05+00:00",
        "finished_at": "2026-01-02T03:12:05+00:00",
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "machine": {"cpu": "Made-up CPU", "cores": 2, "memory_bytes": 8 << 30, "kernel": "6.1"},
        "versions": {"python": "3.11.7", "fastapi": "0.165", "flask": "3.1"},
        "services": {
            service: {"framework": service.split("-")[0], "model": "async"} | BURST
            for service in services
        },
        "experiments": {each.name: dict(each.document) for each in experiments},
        "planned": len(trials),
    }


@dataclass(frozen=True)
class Pace:
    """How fast a service answers a load: rate in requests/s, times in seconds."""

    load: Load
    slots: int
    latency_s: float
    highest_rps: float
    rps: float

    @property
    def response_s(self) -> float:
        """Mean response time, by Little's law where the load is closed."""
        return self.latency_s if self.load.rate_rps else self.connections / self.rps

    @property
    def connections(self) -> int:
        return max(self.load.connections, 1)

    @property
    def in_hand(self) -> int:
        """Requests at the end of the window."""
        return round(self.rps * self.latency_s) if self.load.rate_rps else self.connections


def _trial(
    planned: PlannedTrial, truth: Truth, drift: float, noise: float, rng: np.random.Generator
) -> Trial:
    duration = planned.experiment.duration_s
    pace = _pace(planned, truth, drift * float(np.exp(rng.normal(0, noise))))
    result = _result(planned, pace, float(rng.normal(1, 0.01)))
    waits = planned.level.parameters.get("ms", 0) > 0
    predicted = Prediction(pace.highest_rps, pace.slots, "threads", pace.latency_s)
    return Trial(
        **planned.recorded,
        run_id=RUN_ID,
        attempt=1,
        load=pace.load,
        result=result,
        samples=_samples(truth, pace.load, pace.rps, duration, rng),
        gates=(Gate("generator CPU", True, 0.2, 0.9, "share of one core"),),
        prediction=predicted if waits else None,
    )


def _pace(planned: PlannedTrial, truth: Truth, factor: float) -> Pace:
    level, load = planned.level, planned.level.at_peak(100.0)
    environment = level.settings_of(planned.service)
    workers = int(environment.get("WORKERS", 1))
    slots = workers * int(environment["POOL_SIZE"]) if "POOL_SIZE" in environment else truth.slots
    latency_s = (level.parameters.get("ms", 0) + truth.cpu_ms + truth.delay_ms) / 1000
    highest = min(1000 / truth.cpu_ms, slots / latency_s, max(load.connections, 1) / latency_s)
    return Pace(load, slots, latency_s, highest, factor * min(load.rate_rps or math.inf, highest))


def _result(planned: PlannedTrial, pace: Pace, noise: float) -> LoadResult:
    experiment, variant = planned.experiment, planned.index % 8
    duration = experiment.duration_s
    answered = max(int(pace.rps * duration), 1)
    after = min(pace.in_hand, int(pace.rps * LET_GO_S))
    return LoadResult(
        started_at="2026-01-02T03:04:05+00:00",
        warmup_s=experiment.warmup_s,
        duration_s=duration,
        sent=answered + pace.in_hand,
        answered=answered,
        failed=0,
        unfinished=pace.in_hand,
        errors={},
        goodput_rps=answered / duration,
        received_bytes=answered * 100,
        reconnects=0,
        response_us=_latencies(round(pace.response_s, 4), answered, variant),
        service_us=_latencies(round(pace.latency_s, 4), answered, variant),
        send_late_us=_latencies(0.001, 0, 0),
        mean_in_flight=answered / duration * pace.response_s * noise,
        generator_cpu=0.2,
        timeline=_timeline(pace.rps, pace.response_s, experiment),
        answered_after=after,
        response_after_us=_latencies(round(pace.response_s, 4), after, variant),
        service_after_us=_latencies(round(pace.latency_s, 4), after, variant),
    )


def _timeline(
    rate: float, response_s: float, experiment: Experiment
) -> tuple[dict[str, float], ...]:
    """A warm-up that begins at half the rate, then the window."""
    before, after = int(4 * experiment.warmup_s), int(4 * experiment.duration_s)
    return tuple(
        {
            "t": number / 4,
            "answered": rate / 4 * (1 if number >= 0 else 0.5),
            "failed": 0,
            "p50_ms": response_s * 1000,
            "max_ms": response_s * 1300,
        }
        for number in range(-before, after)
    )


def _samples(
    truth: Truth, load: Load, rate: float, duration: float, rng: np.random.Generator
) -> tuple[Sample, ...]:
    kib = truth.base_mib * 1024 + load.connections * truth.kib_per_request
    return tuple(
        Sample(
            t=float(t),
            cpu=min(1.0, rate * truth.cpu_ms / 1000),
            pss_bytes=int(1024 * kib * float(rng.normal(1, 0.002))),
            threads=round(4 + load.connections * truth.threads_per_request),
            in_flight=float(load.connections),
        )
        for t in range(int(duration) + 1)
    )


@lru_cache(maxsize=512)
def _latencies(center_s: float, count: int, variant: int) -> str:
    """A log-normal histogram about `center_s`."""
    rng = np.random.default_rng(variant)
    histogram = Histogram()
    histogram.add_seconds([float(s) for s in center_s * np.exp(rng.normal(0, 0.15, count))])
    return histogram.encode()


def failing(trial: Trial, gate: str = "Little's law") -> Trial:
    """The trial with one gate failed."""
    return replace(trial, gates=(*trial.gates, Gate(gate, False, 0.12, 0.05, "relative error")))


def faster(trial: Trial, by: float) -> Trial:
    """The trial with so many times its goodput."""
    rps = trial.result.goodput_rps * by
    return replace(trial, result=replace(trial.result, goodput_rps=rps))
