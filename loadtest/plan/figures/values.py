"""What measures make of one trial; None where it has too little for that."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from loadtest.contract.scenarios import SCENARIOS
from loadtest.engine.kinds import kind_of
from loadtest.model.load import Load
from loadtest.model.trial import Prediction, Sample, Trial
from loadtest.plan.figures.measure import Value
from loadtest.stats import latencies, streams


def percentile_ms(which: float) -> Value:
    def value(trial: Trial) -> float | None:
        found = latencies.of([trial.result]).percentile(which)
        return found.ms if found else None

    return value


def mean_ms(trial: Trial) -> float | None:
    """By Little's law, so that a window holds no whole number of requests to be of use."""
    result = trial.result
    ended = result.answered + result.failed
    held_s = result.mean_in_flight * result.duration_s - result.boundary_s
    return 1000 * held_s / ended if ended and held_s > 0 else None


def littles_median(prediction: Prediction, load: Load) -> float | None:
    """By Little's law a request of a closed load takes connections ÷ rate on average."""
    paced = kind_of(load).paced and not load.think_s
    return 1000 * load.connections / prediction.rps if paced else None


def slots_for_each(prediction: Prediction, load: Load) -> float:
    return min(1.0, prediction.slots / load.connections)


def answered_share(trial: Trial) -> float | None:
    asked = trial.result.sent - trial.result.unfinished + trial.result.unsendable
    return trial.result.answered / asked if asked else None


def service_cpu_us(trial: Trial) -> float | None:
    parts = _window(trial)
    lasting = sum(lasts_s for _, lasts_s in parts)
    cpu = sum(sample.cpu * lasts_s for sample, lasts_s in parts) / lasting if lasting else None
    return cpu * 1e6 / trial.result.goodput_rps if cpu and trial.result.goodput_rps else None


def background_p99_ms(trial: Trial) -> float | None:
    beside = trial.result.beside
    found = latencies.of([beside]).percentile(99.0) if beside else None
    return found.ms if found else None


def background_answered(trial: Trial) -> float | None:
    beside = trial.result.beside
    return beside.answered / (beside.sent + beside.unsendable) if beside else None


def events_due_share(trial: Trial) -> float | None:
    """Only of a held load are all streams due all along."""
    if trial.scenario not in SCENARIOS or not kind_of(trial.load).holds:
        return None
    ms = SCENARIOS[trial.scenario].filled(trial.parameters).get("ms")
    return streams.due_share(trial.result, trial.load.connections, ms / 1000) if ms else None


def busiest_worker(trial: Trial) -> float | None:
    """The busiest worker's requests, as a multiple of an equal share; None for a single one."""
    counts = trial.by_worker
    return max(counts) * len(counts) / sum(counts) if len(counts) > 1 and any(counts) else None


def share_of_prediction(trial: Trial) -> float | None:
    return trial.result.goodput_rps / trial.prediction.rps if trial.prediction else None


def beyond_slots(trial: Trial) -> float | None:
    """The share of the answers that slots ÷ wait do not allow; 0 where the service stays below.

    Workers that leave slots idle scatter below the bound. That does not say whether it is passed,
    so it widens no interval.
    """
    share = share_of_prediction(trial)
    if share is None:
        return None
    return max(0.0, 1 - 1 / share) if share > 0 else 0.0


def sampled(value: Callable[[Sample], float]) -> Value:
    """Mean of a sampled value over the measured window."""

    def mean(trial: Trial) -> float | None:
        window = _window(trial)
        return fmean(value(sample) for sample, _ in window) if window else None

    return mean


def _window(trial: Trial) -> list[tuple[Sample, float]]:
    """The samples of the measured window, each with the seconds since the one before it.

    One is taken as the window begins and one as it ends; a sample belongs to the window where most
    of its time does.
    """
    pairs = zip(trial.samples, trial.samples[1:], strict=False)
    return [
        (after, after.t - before.t)
        for before, after in pairs
        if 0 <= (before.t + after.t) / 2 <= trial.result.duration_s
    ]
