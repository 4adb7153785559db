"""From trials to values: what each service did at each level in each round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean

from loadtest.model.trial import Sample, Trial
from loadtest.stats import latencies


def counted(trials: Iterable[Trial]) -> list[Trial]:
    """The one trial of each place in the schedule that counts: its first with every gate passed.

    A place whose every attempt failed a gate has none: it is shown, but decides nothing.
    """
    kept: dict[tuple[str, int], Trial] = {}
    for trial in sorted(trials, key=lambda each: each.attempt):
        if trial.valid:
            kept.setdefault((trial.experiment, trial.index), trial)
    return sorted(kept.values(), key=lambda each: (each.experiment, each.index))


def measure(trial: Trial, name: str) -> float | None:
    """The value of a measure in one trial; None where the trial has too little for it."""
    return _MEASURES[name](trial)


def by_round(trials: Iterable[Trial], name: str, level: str, arm: str) -> dict[int, float]:
    """Round -> value of a measure for one arm at one level; rounds without a value are left out."""
    found = {
        trial.round: measure(trial, name)
        for trial in trials
        if trial.level == level and trial.arm == arm
    }
    return {round_: value for round_, value in found.items() if value is not None}


def points(trials: Iterable[Trial], name: str, arm: str) -> tuple[list[float], list[float]]:
    """(connections, value) of every trial of one arm, for a slope over the loads."""
    pairs = [
        (float(trial.load.connections), value)
        for trial in trials
        if trial.arm == arm and (value := measure(trial, name)) is not None
    ]
    return [x for x, _ in pairs], [y for _, y in pairs]


def _percentile_ms(which: float) -> Callable[[Trial], float | None]:
    def value(trial: Trial) -> float | None:
        found = latencies.read(trial.result.response_us).percentile(which)
        return found.ms if found else None

    return value


def _answered_share(trial: Trial) -> float | None:
    asked = trial.result.sent - trial.result.unfinished + trial.result.unsendable
    return trial.result.answered / asked if asked else None


def _service_cpu_us(trial: Trial) -> float | None:
    parts = _window(trial)
    lasting = sum(lasts_s for _, lasts_s in parts)
    cpu = sum(sample.cpu * lasts_s for sample, lasts_s in parts) / lasting if lasting else None
    return cpu * 1e6 / trial.result.goodput_rps if cpu and trial.result.goodput_rps else None


def _share_of_prediction(trial: Trial) -> float | None:
    if not trial.prediction:
        return None
    return trial.result.goodput_rps / trial.prediction.rps


def _sampled(trial: Trial, value: Callable[..., float]) -> float | None:
    """Mean of a sampled value over the measured window."""
    window = _window(trial)
    return fmean(value(sample) for sample, _ in window) if window else None


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


def _pss_kib(trial: Trial) -> float | None:
    return _sampled(trial, lambda sample: sample.pss_bytes / 1024)


def _threads(trial: Trial) -> float | None:
    return _sampled(trial, lambda sample: sample.threads)


_MEASURES: Mapping[str, Callable[[Trial], float | None]] = {
    "goodput_rps": lambda trial: trial.result.goodput_rps,
    "p50_ms": _percentile_ms(50.0),
    "p99_ms": _percentile_ms(99.0),
    "answered_share": _answered_share,
    "service_cpu_us": _service_cpu_us,
    "share_of_prediction": _share_of_prediction,
    "pss_kib_per_request": _pss_kib,
    "threads_per_request": _threads,
}


def by_experiment(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    """Trials under the name of their experiment, in the order in which the experiments ran."""
    groups: defaultdict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[trial.experiment].append(trial)
    return dict(groups)


def arms(trials: Sequence[Trial]) -> list[str]:
    """The arms that were run, twins after all the others."""
    names = {trial.arm: trial.arm != trial.service for trial in trials}
    return sorted(names, key=lambda name: (names[name], name))
