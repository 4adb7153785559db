"""What binds: each kind of service gets its name, and what can't be known is said so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from loadtest.probe import record
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.record import Conclusion, Sighting, Step
from tests.loadtest.probe.sightings import GLANCE, full, ramp, read_all, seen, server, waves


def workers(steps: tuple[Step, ...], count: int) -> tuple[Step, ...]:
    return tuple(
        replace(each, workers=tuple(each.server / count for _ in range(count))) for each in steps
    )


SYNC = seen(workers(full(4), 4), server=server(processes=4), waves=waves(4, 0.1, 14))
THREADS = seen(
    workers(full(16, threads=9), 2),
    server=server(processes=2, loop=True),
    waves=waves(16, 0.1, 34),
)
DEF = seen(
    read_all(full(40, threads=41)),
    server=server(program="uvicorn", loop=True),
    waves=waves(40, 0.1, 82),
)
POOL = seen(
    read_all(full(15, threads=33)),
    server=server(program="uvicorn", loop=True),
    waves=waves(15, 0.1, 32),
)
UPSTREAM = seen(
    read_all(full(10)), server=server(program="uvicorn", loop=True), waves=waves(10, 0.1, 22)
)
NGINX = seen(
    read_all(full(10)),
    server=server(program="nginx", processes=2, loop=True, one_core=False, passes_on=True),
)
BLOCKED = seen(full(1), server=server(program="uvicorn", loop=True))
LOCKED = seen(read_all(full(1, threads=9)), server=server(loop=True))
ASYNC_LOCK = seen(read_all(full(1)), server=server(program="uvicorn", loop=True))
SINGLE = seen(full(1), server=server())
COMPUTING = seen(ramp(1, 0.01, 64, cpu_s=0.0098), server=server(program="uvicorn", loop=True))
UNLIMITED = seen(ramp(10_000, 0.2, 64), server=server(program="uvicorn", loop=True), limit=64)
GENERATOR = seen(
    ramp(1, 0.0002, 64, cpu_s=0.0001, generator=0.99),
    server=server(program="node", loop=True),
)


@pytest.mark.parametrize(
    ("what", "name", "slots", "told"),
    [
        (SYNC, "slots", 4, "4 processes × 1 thread"),
        (THREADS, "slots", 16, "2 processes × 8 threads"),
        (DEF, "slots", 40, "1 process × 40 threads"),
        (POOL, "pool or upstream", 15, "33 threads"),
        (UPSTREAM, "pool or upstream", 10, "a pool or an upstream"),
        (NGINX, "pool or upstream", 10, "a pool or an upstream"),
        (BLOCKED, "one at a time", 1, "something blocks the loop"),
        (LOCKED, "one at a time", 1, "a lock"),
        (ASYNC_LOCK, "one at a time", 1, "a lock"),
        (SINGLE, "one at a time", 1, "a single worker"),
        (COMPUTING, "cpu", 1, "CPU"),
        (UNLIMITED, "nothing yet", 64, "still grew"),
        (GENERATOR, "generator", 1, "load generator"),
    ],
)
def test_what_binds_has_its_name_its_slots_and_its_reason(
    what: Sighting, name: str, slots: int, told: str
) -> None:
    said = conclude(what)
    assert (said.binding.name, said.slots.value) == (name, slots)
    assert told in " ".join(said.sentences)


def out_of_sight(what: Sighting) -> Sighting:
    """The same service on another machine: nothing but answers can be seen."""
    steps = tuple(
        replace(each, workers=(), threads=0, taken=None, unread=None, others=None)
        for each in what.steps
    )
    return replace(what, steps=steps, server=None)


@pytest.mark.parametrize(
    "what", [SYNC, THREADS, DEF, POOL, UPSTREAM, BLOCKED, LOCKED, SINGLE, COMPUTING]
)
def test_where_only_answers_are_seen_no_name_is_given_with_confidence(what: Sighting) -> None:
    said = conclude(out_of_sight(what))
    assert said.binding.could_be
    assert "could also be" in " ".join(said.sentences)
    assert said.slots.value == conclude(what).slots.value


def test_the_slots_of_a_full_cpu_are_a_least_number() -> None:
    assert conclude(COMPUTING).slots.at_least


def test_a_machine_that_others_fill_is_no_slot_of_the_service() -> None:
    """Only 0.6 cores were left for a request that computes all the time."""
    steps = tuple(
        replace(each, workers=(0.6,), idle=0.0, others=1.3) for each in ramp(1, 0.016, 64, 0.0098)
    )
    said = conclude(seen(steps, server=server(program="uvicorn", loop=True)))
    assert said.binding.name == "cpu"
    assert any("Other programs took" in note for note in said.notes)


def refused(error: str) -> Conclusion:
    steps = ramp(64, 0.1, 16)
    broken = replace(steps[-1], connections=32, answered=10, errors={error: 90})
    return conclude(seen((*steps, broken), server=server()))


@pytest.mark.parametrize("error", ["status 503", "status 429", "connection refused"])
def test_failures_that_end_the_ramp_bind(error: str) -> None:
    said = refused(error)
    assert said.binding.name == "connections"
    assert error in " ".join(said.binding.evidence)


def test_a_service_that_ended_is_not_said_to_refuse_connections() -> None:
    steps = ramp(64, 0.1, 16)
    broken = replace(steps[-1], connections=32, answered=10, errors={"connection refused": 90})
    gone = f"{record.STOPPED_ANSWERING} (nothing listens)"
    said = conclude(seen((*steps, broken), server=server(), ended=gone))
    assert said.binding.name == "nothing yet"
    assert "it was gone with 32 at once" in said.sentences[1]
    assert said.advice == ("Its log says why it ended: probe it again when it stays.",)


def test_a_service_that_is_full_and_refuses_more_is_bound_by_its_slots() -> None:
    steps = full(8, threads=9)
    broken = replace(steps[-1], connections=64, answered=80, errors={"status 503": 400})
    said = conclude(seen((*steps, broken), server=server(), waves=waves(8, 0.1, 26)))
    assert (said.binding.name, said.slots.value) == ("slots", 8)
    assert any("503" in each for each in said.binding.evidence)


def test_a_connection_a_request_is_told() -> None:
    glance = replace(GLANCE, kept=False)
    said = conclude(replace(COMPUTING, glance=glance))
    assert any("keep-alive" in each for each in said.binding.evidence)


def test_more_slots_are_foretold_until_the_cpu_is_full() -> None:
    advice = conclude(THREADS).advice[0]
    assert advice == (
        "With 32 threads instead of 16: about 320/s, until the CPU is full at about 4,000/s."
    )


def test_more_slots_than_the_cpu_can_feed_are_not_promised() -> None:
    steps = workers(tuple(replace(each, workers=(each.rps * 0.03,)) for each in full(4)), 4)
    what = replace(SYNC, steps=steps)
    assert "where the CPU is full" in conclude(what).advice[0]


def test_what_was_seen_comes_back_from_its_document() -> None:
    for what in (SYNC, UNLIMITED, out_of_sight(LOCKED)):
        text = json.dumps(record.document(what, conclude(what)))
        found = json.loads(text)
        assert record.restored(found) == what
        assert {"url", "wait_s", "plateau_rps", "slots", "binds", "evidence", "advice"} <= set(
            found
        )
        assert found["requests_sent"] == what.sent


@pytest.mark.parametrize("found", [{}, {"version": 1}, {"version": 1, "seen": {"url": "x"}}])
def test_a_document_of_something_else_is_refused(found: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"probe|missing|wrong"):
        record.restored(found)


def test_cpu_binds_where_other_programs_make_single_requests_slow() -> None:
    alone, *others = ramp(1, 0.004, 64, cpu_s=0.0035, others=1.3)
    late = replace(alone, mean_s=0.012, p50_s=0.004)
    computing = tuple(replace(each, rps=130, workers=(0.45,), idle=0.02) for each in others)
    found = seen((late, *computing), server=server(program="uvicorn", loop=True))
    assert conclude(found).binding.name == "cpu"


def test_a_crowded_machine_may_be_what_binds() -> None:
    crowded = tuple(replace(each, others=1.8) for each in UPSTREAM.steps)
    said = conclude(replace(UPSTREAM, steps=crowded, waves=()))
    assert "other programs, which took 1.80 of 2 cores" in said.binding.could_be
    assert "other programs" in said.sentences[1]


def test_groups_of_waves_tell_slots_on_a_crowded_machine_too() -> None:
    crowded = tuple(replace(each, others=1.8) for each in SYNC.steps)
    assert conclude(replace(SYNC, steps=crowded)).binding.could_be == ()


def test_a_quick_service_that_closes_connections_is_not_said_to_work_one_at_a_time() -> None:
    steps = tuple(replace(each, idle=1.0) for each in ramp(1, 0.001, 64, cpu_s=0.0002))
    glance = replace(GLANCE, kept=False)
    said = conclude(seen(steps, glance=glance, server=server(loop=True)))
    assert (said.binding.name, said.binding.could_be) == ("connections", ("cpu",))


def test_workers_that_share_connections_unevenly_are_told() -> None:
    steps = tuple(
        replace(each, rps=0.8 * each.rps, taken=min(each.connections, 10))
        if each.connections > 12
        else each
        for each in workers(full(12, threads=8), 3)
    )
    what = seen(steps, server=server(processes=3, threads=4, loop=True), waves=waves(12, 0.1, 26))
    said = conclude(what)
    assert (said.binding.name, said.slots.value) == ("slots", 12)
    assert any("unevenly" in note for note in said.notes)


def test_a_limit_of_the_rate_is_not_taken_for_a_full_backlog() -> None:
    assert "limits how often" in refused("status 429").advice[0]
    assert "backlog" in refused("connection refused").advice[0]


def test_a_ramp_that_had_too_little_time_asks_for_time_and_not_for_connections() -> None:
    short = replace(UNLIMITED, steps=UNLIMITED.steps[:3], limit=256, lasted_s=6.0)
    said = conclude(short)
    assert "its time was up; with 4 at once the rate still grew" in said.sentences[1]
    assert said.advice == ("Give it more time: --seconds 60.",)
    assert conclude(replace(short, lasted_s=60.0)).advice == ("Give it more time: --seconds 240.",)


def test_a_ramp_that_reached_its_limit_asks_for_connections() -> None:
    assert conclude(UNLIMITED).advice == ("Ask for more: --connections 256.",)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"method": "POST", "sent": 742}, "742 POST requests were sent."),
        ({"glance": replace(GLANCE, same=False)}, "only the status was checked"),
        ({"glance": replace(GLANCE, size=50_000_000)}, "Answers have 50 MB"),
        ({"glance": replace(GLANCE, limit="100;w=60")}, "limits how often it may be asked"),
        ({"glance": replace(GLANCE, first_s=9.0)}, "The first answer took 9.00 s"),
        ({"unmeasured": ("What /x waits was not measured.",)}, "What /x waits was not measured."),
        ({"ended": "stopped by Ctrl-C"}, "The probe ended early: stopped by Ctrl-C."),
    ],
)
def test_what_was_unusual_is_told(known: dict[str, Any], told: str) -> None:
    notes = conclude(replace(SYNC, **known)).notes
    assert sum(told in note for note in notes) == 1
    assert not any(told in note for note in conclude(SYNC).notes)


def test_why_requests_of_waves_failed_is_told() -> None:
    refused_some = tuple(replace(each, failed=10, error="status 503") for each in SYNC.waves)
    said = conclude(replace(SYNC, waves=refused_some))
    told = "40 requests of those that began together failed: status 503"
    assert told in said.binding.evidence
