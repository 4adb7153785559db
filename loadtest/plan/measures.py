"""What can be measured of a service: one entry a measure, with all that is said and drawn of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loadtest.plan.figures import values
from loadtest.plan.figures.measure import Growth, Measure, Predicted, Value
from loadtest.stats import streams


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


def _shared(
    name: str, meaning: str, *, noun: str, unit: str, told: tuple[str, str], **options: Any
) -> Measure:
    """A share of a whole; `told`: what a service did with a share, and of what."""
    did, whole = told
    return Measure(
        name,
        meaning,
        "0 to 1",
        noun=noun,
        unit=unit,
        more=f"{{a}} {did} a {{x}} larger share of {whole} than {{b}}",
        less=f"{{a}} {did} a {{x}} smaller share of {whole} than {{b}}",
        times=f"{{a}} {did} {{x}} times as large a share of {whole} as {{b}}",
        share=True,
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
        value=values.mean_ms,
    ),
    _timed(
        "p50_ms",
        "response time at the median",
        noun="median",
        when="at the median",
        value=values.percentile_ms(50.0),
        percentile=True,
        predicted=Predicted(
            values.littles_median,
            "the least that a service's slots allow (connections × wait ÷ slots)",
        ),
    ),
    _timed(
        "p95_ms",
        "response time at the 95th percentile",
        noun="p95",
        when="at the 95th percentile",
        value=values.percentile_ms(95.0),
        percentile=True,
    ),
    _timed(
        "p99_ms",
        "response time at the 99th percentile",
        noun="p99",
        when="at the 99th percentile",
        value=values.percentile_ms(99.0),
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
    _shared(
        "streams_served",
        "held streams that have had an event ÷ streams that are held",
        noun="share of streams served",
        unit="% of the streams served",
        told=("served", "its streams"),
        value=lambda trial: streams.served_share(trial.result, trial.load.connections),
        predicted=Predicted(values.slots_for_each, "slots ÷ streams"),
    ),
    _shared(
        "events_due_share",
        "events that came ÷ events that were due: held streams × window ÷ interval; at most 1",
        noun="share of the events that were due",
        unit="% of the events that were due",
        told=("sent", "the events that were due"),
        value=values.events_due_share,
        predicted=Predicted(values.slots_for_each, "slots ÷ streams"),
    ),
    _shared(
        "events_lost",
        "events of streams that never came ÷ events that were due",
        noun="share of events lost",
        unit="% of events lost",
        told=("lost", "its events"),
        value=lambda trial: streams.lost_share(trial.result),
    ),
    _timed(
        "background_p99_ms",
        "response time of the background's requests at the 99th percentile",
        noun="p99 of a light request",
        when="for a light request at the 99th percentile",
        value=values.background_p99_ms,
    ),
    _shared(
        "background_answered",
        "right answers ÷ requests of the background",
        noun="share of light requests answered",
        unit="% of the light requests answered",
        told=("answered", "the light requests"),
        value=values.background_answered,
    ),
    _shared(
        "answered_share",
        "right answers ÷ requests",
        noun="share answered",
        unit="% right answers",
        told=("answered", "its requests"),
        value=values.answered_share,
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
        value=values.service_cpu_us,
    ),
    Measure(
        "busiest_worker",
        "requests of the busiest worker process ÷ an equal share",
        "1 or more",
        noun="load of the busiest worker",
        unit="× an equal share on the busiest worker",
        more="{a} had {x} more on its busiest worker than {b}",
        less="{a} had {x} less on its busiest worker than {b}",
        times="{a} had {x} times as much on its busiest worker as {b}",
        value=values.busiest_worker,
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
        value=values.share_of_prediction,
        predicted=Predicted(lambda *_: 1.0, "1, where a service uses all its slots"),
    ),
    _shared(
        "beyond_slots",
        "answers beyond those that slots ÷ wait allow ÷ all right answers",
        noun="answers beyond slots ÷ wait",
        unit="% of the answers beyond slots ÷ wait",
        told=("gave", "its answers beyond slots ÷ wait"),
        value=values.beyond_slots,
    ),
    Measure(
        "pss_mib",
        "memory of the service (PSS)",
        "MiB",
        noun="memory",
        unit="MiB of memory",
        more="{a} needed {x} more memory than {b}",
        less="{a} needed {x} less memory than {b}",
        times="{a} needed {x} times as much memory as {b}",
        value=values.sampled(lambda sample: sample.pss_bytes / 2**20),
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
        value=values.sampled(lambda sample: sample.pss_bytes / 1024),
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
        value=values.sampled(lambda sample: sample.threads),
        growth=Growth("threads", "threads", "Threads"),
    ),
)
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}
SLOPES = tuple(measure.name for measure in _ALL if measure.growth)
