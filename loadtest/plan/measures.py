"""What can be measured of a service: one entry a measure, with all that is said and drawn of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from loadtest.engine.kinds import kind_of
from loadtest.model.load import Load
from loadtest.model.trial import Prediction, Sample, Trial
from loadtest.stats import latencies, streams

Value = Callable[[Trial], float | None]


@dataclass(frozen=True)
class Predicted:
    """What slots ÷ wait says of a measure: the figure of a prediction, and its words."""

    figure: Callable[[Prediction, Load], float | None]
    words: str


@dataclass(frozen=True)
class Growth:
    """How a measure is drawn whose figure is a slope: what each further held request adds.

    A value is in `unit`; the axis counts `per_axis` of them as one.
    """

    noun: str
    unit: str
    axis: str
    axis_unit: str = ""
    per_axis: int = 1


@dataclass(frozen=True)
class Measure:
    """Something measured of a service in each trial.

    `meaning` and `scale` are its line in docs/experiments.md. `noun` names it in a ratio of two
    services. `unit` stands behind a figure.
    `more`, `less` and `times` compare {a} with {b} by {x}. `value` is None where a trial has too
    little for it. A `share` is one of a whole: between 0 and 1, maybe 0, shown in percent. All
    else is averaged and drawn by its ratios. With `growth` the figure is the slope of the value
    over the loads. A `percentile` needs windows that are longer than the wait.
    """

    name: str
    meaning: str
    scale: str
    noun: str
    unit: str
    more: str
    less: str
    times: str
    value: Value
    share: bool = False
    predicted: Predicted | None = None
    growth: Growth | None = None
    percentile: bool = False

    @property
    def unit_of_value(self) -> str:
        """The unit of what one trial measures: that of a slope is another."""
        return self.growth.unit if self.growth else self.unit

    def shown(self, figure: float) -> float:
        """A figure in `unit`."""
        return 100 * figure if self.share else figure

    def foretold(self, prediction: Prediction | None, load: Load) -> float | None:
        """The figure that a prediction stands for; None where it says nothing of it."""
        return self.predicted.figure(prediction, load) if self.predicted and prediction else None


def _percentile_ms(which: float) -> Value:
    def value(trial: Trial) -> float | None:
        found = latencies.of([trial.result]).percentile(which)
        return found.ms if found else None

    return value


def _mean_ms(trial: Trial) -> float | None:
    """By Little's law, so that a window holds no whole number of requests to be of use."""
    result = trial.result
    ended = result.answered + result.failed
    held_s = result.mean_in_flight * result.duration_s - result.boundary_s
    return 1000 * held_s / ended if ended and held_s > 0 else None


def _littles_median(prediction: Prediction, load: Load) -> float | None:
    """By Little's law a request of a closed load takes connections ÷ rate on average."""
    paced = kind_of(load).paced and not load.think_s
    return 1000 * load.connections / prediction.rps if paced else None


def _answered_share(trial: Trial) -> float | None:
    asked = trial.result.sent - trial.result.unfinished + trial.result.unsendable
    return trial.result.answered / asked if asked else None


def _service_cpu_us(trial: Trial) -> float | None:
    parts = _window(trial)
    lasting = sum(lasts_s for _, lasts_s in parts)
    cpu = sum(sample.cpu * lasts_s for sample, lasts_s in parts) / lasting if lasting else None
    return cpu * 1e6 / trial.result.goodput_rps if cpu and trial.result.goodput_rps else None


def _share_of_prediction(trial: Trial) -> float | None:
    return trial.result.goodput_rps / trial.prediction.rps if trial.prediction else None


def _sampled(value: Callable[[Sample], float]) -> Value:
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


def _timed(
    name: str, meaning: str, *, noun: str, when: str, value: Value, **options: Any
) -> Measure:
    """A time in ms; `when` says which."""
    return Measure(
        name,
        meaning,
        "ms",
        noun=noun,
        unit=f"ms {when}",
        more=f"{{a}} took {{x}} longer than {{b}} {when}",
        less=f"{{a}} took {{x}} less time than {{b}} {when}",
        times=f"{{a}} took {{x}} times as long as {{b}} {when}",
        value=value,
        **options,
    )


GOODPUT = "goodput_rps"

_ALL = (
    Measure(
        GOODPUT,
        "right answers",
        "requests/s",
        noun="requests/s",
        unit="requests/s",
        more="{a} handled {x} more requests/s than {b}",
        less="{a} handled {x} fewer requests/s than {b}",
        times="{a} handled {x} times as many requests/s as {b}",
        value=lambda trial: trial.result.goodput_rps,
        predicted=Predicted(
            lambda prediction, _: prediction.rps,
            "slots ÷ wait, the most that a service's slots allow",
        ),
    ),
    _timed(
        "mean_ms",
        "time from sending to the answer, on average",
        noun="mean",
        when="on average",
        value=_mean_ms,
    ),
    _timed(
        "p50_ms",
        "response time at the median",
        noun="median",
        when="at the median",
        value=_percentile_ms(50.0),
        percentile=True,
        predicted=Predicted(
            _littles_median, "the least that a service's slots allow (connections × wait ÷ slots)"
        ),
    ),
    _timed(
        "p95_ms",
        "response time at the 95th percentile",
        noun="p95",
        when="at the 95th percentile",
        value=_percentile_ms(95.0),
        percentile=True,
    ),
    _timed(
        "p99_ms",
        "response time at the 99th percentile",
        noun="p99",
        when="at the 99th percentile",
        value=_percentile_ms(99.0),
        percentile=True,
    ),
    _timed(
        "first_event_ms",
        "time from sending to the first event of a stream, at the median",
        noun="first event",
        when="to the first event",
        value=lambda trial: streams.first_event_ms(trial.result),
    ),
    _timed(
        "gap_p99_ms",
        "time between two events of a stream, at the 99th percentile",
        noun="gap p99",
        when="between two events at the 99th percentile",
        value=lambda trial: streams.gap_p99_ms(trial.result),
    ),
    Measure(
        "events_lost",
        "events of streams that never came ÷ events that were due",
        "0 to 1",
        noun="share of events lost",
        unit="% of events lost",
        more="{a} lost a {x} larger share of its events than {b}",
        less="{a} lost a {x} smaller share of its events than {b}",
        times="{a} lost {x} times as large a share of its events as {b}",
        value=lambda trial: streams.lost_share(trial.result),
        share=True,
    ),
    Measure(
        "answered_share",
        "right answers ÷ requests",
        "0 to 1",
        noun="share answered",
        unit="% answered",
        more="{a} answered a {x} larger share of its requests than {b}",
        less="{a} answered a {x} smaller share of its requests than {b}",
        times="{a} answered {x} times as large a share of its requests as {b}",
        value=_answered_share,
        share=True,
    ),
    Measure(
        "service_cpu_us",
        "the service's CPU for each right answer",
        "µs",
        noun="CPU a request",
        unit="µs of CPU a request",
        more="{a} used {x} more CPU a request than {b}",
        less="{a} used {x} less CPU a request than {b}",
        times="{a} used {x} times as much CPU a request as {b}",
        value=_service_cpu_us,
    ),
    Measure(
        "share_of_prediction",
        "goodput ÷ (slots ÷ wait)",
        "0 to 1",
        noun="share of slots ÷ wait",
        unit="× slots ÷ wait",
        more="{a} came {x} higher against its prediction than {b}",
        less="{a} came {x} lower against its prediction than {b}",
        times="{a} came {x} times as high against its prediction as {b}",
        value=_share_of_prediction,
        predicted=Predicted(lambda *_: 1.0, "1, where a service uses all its slots"),
    ),
    Measure(
        "pss_kib_per_request",
        "memory (PSS) that each held request adds: a slope over the levels",
        "KiB",
        noun="memory a held request",
        unit="KiB a held request",
        more="{a} needed {x} more memory a held request than {b}",
        less="{a} needed {x} less memory a held request than {b}",
        times="{a} needed {x} times as much memory a held request as {b}",
        value=_sampled(lambda sample: sample.pss_bytes / 1024),
        growth=Growth("memory", "KiB", "Memory of the service, MiB", "MiB", 1024),
    ),
    Measure(
        "threads_per_request",
        "threads that each held request adds: a slope over the levels",
        "threads",
        noun="threads a held request",
        unit="threads a held request",
        more="{a} needed {x} more threads a held request than {b}",
        less="{a} needed {x} fewer threads a held request than {b}",
        times="{a} needed {x} times as many threads a held request as {b}",
        value=_sampled(lambda sample: sample.threads),
        growth=Growth("threads", "threads", "Threads"),
    ),
)
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}
SLOPES = tuple(measure.name for measure in _ALL if measure.growth)
