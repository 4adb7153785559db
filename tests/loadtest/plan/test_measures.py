"""What a measure makes of one trial."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loadtest.model.load import Load
from loadtest.model.trial import Prediction, Trial
from loadtest.plan.measures import MEASURES
from loadtest.stats.histogram import Histogram
from tests.synthetic import experiment, trials_of


@pytest.fixture(scope="module")
def trial() -> Trial:
    return next(t for t in trials_of([experiment()]) if t.level == "128 connections")


def test_measures_of_a_trial(trial: Trial) -> None:
    assert MEASURES["goodput_rps"].value(trial) == trial.result.goodput_rps
    assert MEASURES["answered_share"].value(trial) == 1.0
    assert trial.prediction is not None
    share = trial.result.goodput_rps / trial.prediction.rps
    assert MEASURES["share_of_prediction"].value(trial) == pytest.approx(share)
    cpu = MEASURES["service_cpu_us"].value(trial)
    assert cpu is not None
    assert cpu > 0


@pytest.mark.parametrize(("share", "beyond"), [(0.0, 0.0), (0.6, 0.0), (1.0, 0.0), (1.25, 0.2)])
def test_answers_beyond_slots(trial: Trial, share: float, beyond: float) -> None:
    assert trial.prediction is not None
    result = replace(trial.result, goodput_rps=share * trial.prediction.rps)
    passed = MEASURES["beyond_slots"].value(replace(trial, result=result))
    assert passed == pytest.approx(beyond)


def test_memory_is_that_of_the_measured_window(trial: Trial) -> None:
    samples = tuple(
        replace(each, pss_bytes=(300 if each.t <= 0 else 100) * 2**20) for each in trial.samples
    )
    assert MEASURES["pss_mib"].value(replace(trial, samples=samples)) == pytest.approx(100)


def test_a_trial_without_samples_has_no_service_side(trial: Trial) -> None:
    bare = Trial(**vars(trial) | {"samples": (), "prediction": None})
    assert MEASURES["pss_kib_per_request"].value(bare) is None
    assert MEASURES["pss_mib"].value(bare) is None
    assert MEASURES["service_cpu_us"].value(bare) is None
    assert MEASURES["share_of_prediction"].value(bare) is None


@pytest.mark.parametrize(("answered", "boundary_s"), [(19, 0.081), (20, -0.02)])
def test_a_mean_time_depends_on_no_whole_number_of_answers(
    trial: Trial, answered: int, boundary_s: float
) -> None:
    """One client, 101 ms a request: two seconds hold 19 answers or 20, as the window begins."""
    result = replace(
        trial.result,
        answered=answered,
        failed=0,
        duration_s=2.0,
        mean_in_flight=1.0,
        boundary_s=boundary_s,
    )
    found = MEASURES["mean_ms"].value(replace(trial, result=result))
    assert found == pytest.approx(101.0)


def encoded(*seconds: float) -> str:
    histogram = Histogram()
    histogram.add_seconds(seconds)
    return histogram.encode()


def test_measures_of_streams(trial: Trial) -> None:
    names = ("first_event_ms", "gap_p99_ms", "events_lost")
    assert [MEASURES[name].value(trial) for name in names] == [None, None, None]
    first, gaps = encoded(*[0.2] * 300), encoded(*[0.1] * 3900, *[0.5] * 100)
    result = replace(trial.result, first_event_us=first, event_gap_us=gaps, lost_events=700)
    found = [MEASURES[name].value(replace(trial, result=result)) for name in names]
    assert found == [pytest.approx(200, rel=0.01), pytest.approx(500, rel=0.01), 700 / 5000]


def test_streams_that_wait_for_their_first_event_are_not_forgotten(trial: Trial) -> None:
    """Twelve threads stream, and two hundred clients wait: nobody knows the median."""
    result = replace(trial.result, first_event_us=encoded(*[0.001] * 120), unheard=200)
    assert MEASURES["first_event_ms"].value(replace(trial, result=result)) is None


def test_streams_that_fell_silent_are_not_forgotten(trial: Trial) -> None:
    """All was well until the service froze, and the window ended before it went on."""
    name = "gap_p99_ms"
    result = replace(trial.result, event_gap_us=encoded(*[0.1] * 4000), silent=3)
    assert MEASURES[name].value(replace(trial, result=result)) == pytest.approx(100, rel=0.01)
    result = replace(result, silent=500)
    assert MEASURES[name].value(replace(trial, result=result)) is None


def test_held_streams_are_served_once_they_have_an_event(trial: Trial) -> None:
    """Of a hundred, 12 threads serve as many; three connections were refused."""
    load = replace(trial.load, connections=100)
    result = replace(
        trial.result, unfinished=97, unheard=85, first_event_us="", event_gap_us=encoded(1.0)
    )
    value = MEASURES["streams_served"].value
    assert value(replace(trial, load=load, result=result)) == pytest.approx(0.12)
    none = replace(result, unheard=97, event_gap_us="")
    assert value(replace(trial, load=load, result=none)) == 0
    assert value(trial) is None  # it has no streams


def held_streams(trial: Trial, streams: int, **changes: Any) -> Trial:
    """A window of 6 s in which each of `streams` has an event due every second."""
    return replace(
        trial,
        scenario="stream",
        parameters={"n": 1000, "ms": 1000},
        load=Load("held", streams),
        result=replace(trial.result, duration_s=6.0, **changes),
    )


@pytest.mark.parametrize(
    ("first", "gaps", "unheard", "found"),
    [
        pytest.param(0, 600, 0, 1.0, id="all keep pace"),
        pytest.param(5, 605, 0, 1.0, id="a late one came as well"),
        pytest.param(0, 72, 88, 0.12, id="12 threads, and 88 wait for one"),
        pytest.param(60, 180, 0, 0.4, id="40 threads take turns: all are served, none keeps pace"),
        pytest.param(0, 0, 100, 0.0, id="nothing came"),
        pytest.param(0, 0, 0, None, id="no streams"),
    ],
)
def test_of_the_events_that_were_due_some_came(
    trial: Trial, first: int, gaps: int, unheard: int, found: float | None
) -> None:
    held = held_streams(
        trial,
        100,
        first_event_us=encoded(*[0.1] * first) if first else "",
        event_gap_us=encoded(*[1.0] * gaps) if gaps else "",
        unheard=unheard,
    )
    share = MEASURES["events_due_share"].value(held)
    assert share == (None if found is None else pytest.approx(found))


def test_events_are_due_all_along_in_held_streams_alone(trial: Trial) -> None:
    value = MEASURES["events_due_share"].value
    held = held_streams(trial, 10, event_gap_us=encoded(*[1.0] * 60))
    assert value(held) == 1.0
    assert value(replace(held, load=Load("closed", 10))) is None
    assert value(replace(held, parameters={"ms": 0})) is None  # as fast as they come
    assert value(replace(held, scenario="one of a user's own")) is None


def test_slots_for_each_stream_foretell_the_events_that_come() -> None:
    slots = Prediction(rps=0.012, slots=12, bound_by="threads", latency_s=999.0)
    found = [MEASURES["events_due_share"].foretold(slots, Load("held", n)) for n in (10, 100)]
    assert found == [1.0, 0.12]


def test_measures_of_a_second_load(trial: Trial) -> None:
    p99, answered = MEASURES["background_p99_ms"].value, MEASURES["background_answered"].value
    assert (p99(trial), answered(trial)) == (None, None)
    beside = replace(
        trial.result,
        response_us=encoded(*[0.002] * 3880, *[0.05] * 120),
        response_after_us="",
        sent=4000,
        answered=4000,
        failed=0,
        unfinished=0,
        unsendable=0,
    )
    both = replace(trial, result=replace(trial.result, beside=beside))
    assert p99(both) == pytest.approx(50, rel=0.01)
    assert answered(both) == 1.0
    starved = replace(beside, answered=0, unfinished=50, sent=50, unsendable=3950, response_us="")
    both = replace(trial, result=replace(trial.result, beside=starved))
    assert (p99(both), answered(both)) == (None, 0.0)


@pytest.mark.parametrize(
    ("by_worker", "found"),
    [((), None), ((90,), None), ((0, 0), None), ((30, 30, 30), 1.0), ((60, 30, 0), 2.0)],
)
def test_the_busiest_worker_is_told_by_equal_shares(
    trial: Trial, by_worker: tuple[int, ...], found: float | None
) -> None:
    assert MEASURES["busiest_worker"].value(replace(trial, by_worker=by_worker)) == found


def test_nothing_that_ended_has_no_mean_time(trial: Trial) -> None:
    nothing = replace(trial.result, answered=0, failed=0)
    assert MEASURES["mean_ms"].value(replace(trial, result=nothing)) is None
