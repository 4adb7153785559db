"""Answers that do not come in time, and ramps that end early: nothing is said that was not seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.record import Step
from tests.loadtest.probe.sightings import full, ramp, seen, server, step


def test_answers_that_do_not_come_in_time_are_a_queue_and_no_refusal() -> None:
    broken = replace(ramp(64, 0.1, 16)[-1], connections=32, answered=10, errors={"timeout": 90})
    said = conclude(seen((*ramp(64, 0.1, 16), broken), server=server()))
    assert (said.binding.name, said.slots.value, said.slots.at_least) == ("nothing yet", 16, True)
    assert said.binding.evidence[0] == (
        "with 32 at once some had no answer in time: timeout × 90; "
        "with 16 at once the rate still grew"
    )
    assert said.advice == (
        "Look for what 32 at once wait for: a lock, a pool, a service behind it.",
    )


def late(connections: int) -> Step:
    """One worker with requests of ten seconds: some wait for longer than a probe does."""
    return step(connections, 1, 10.0, answered=1, errors={"timeout": 2})


def test_what_the_sound_steps_show_binds_where_a_queue_was_too_long() -> None:
    said = conclude(seen((*full(1, 10.0, limit=2, answered=4), late(4)), server=server()))
    assert (said.binding.name, said.slots.value) == ("one at a time", 1)
    assert "with 4 at once some had no answer in time: timeout × 2" in said.binding.evidence
    alone = conclude(seen((*full(1, 10.0, limit=1, answered=4), late(4)), server=server()))
    assert (alone.binding.name, alone.slots.at_least) == ("nothing yet", True)
    assert "grew" not in alone.sentences[1]


def test_refusals_among_late_answers_bind() -> None:
    mixed = replace(late(32), errors={"timeout": 4, "connection refused": 4})
    said = conclude(seen((*ramp(64, 0.1, 16), mixed), server=server()))
    assert said.binding.name == "connections"


@pytest.mark.parametrize(
    ("limit", "told", "advice"),
    [
        (1, "only one at a time was asked", "Ask for more: --connections 4."),
        (256, "its time was up; only one at a time was asked", "Give it more time: --seconds 240."),
    ],
)
def test_one_step_is_not_said_to_have_grown(limit: int, told: str, advice: str) -> None:
    said = conclude(seen(ramp(64, 0.1, 1), server=server(), limit=limit, lasted_s=60.0))
    assert said.sentences[1] == f"What binds: nothing yet; {told}."
    assert said.advice == (advice,)


def test_what_waits_too_long_for_more_at_once_is_told() -> None:
    said = conclude(seen(ramp(64, 20.0, 2, answered=4), server=server(), lasted_s=200.0))
    assert said.sentences[1] == (
        "What binds: nothing yet; more at once would wait for longer than a probe does; "
        "with 2 at once the rate still grew."
    )
    assert said.advice == ("A probe waits 30 s for an answer: probe what takes less.",)


def test_a_step_without_any_answer_says_so_and_nothing_of_connections() -> None:
    silent = replace(ramp(64, 0.1, 16)[-1], connections=32, answered=0, rps=0.0)
    said = conclude(seen((*ramp(64, 0.1, 16), silent), server=server()))
    told = "with 32 at once no answer came; with 16 at once the rate still grew"
    assert (said.binding.name, said.binding.evidence) == ("nothing yet", (told,))
