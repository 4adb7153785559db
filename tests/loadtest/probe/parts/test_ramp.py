"""How far a ramp goes: no step has a queue whose answers no probe waits for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.model.target import Target
from loadtest.probe import probing
from loadtest.probe.limits import LONGEST_ANSWER_S, Allowance
from loadtest.probe.moments import Asker, Asking
from loadtest.probe.parts.ramp import Ramp
from loadtest.probe.record import Step
from tests.loadtest.probe.sightings import step


class Modelled(Ramp):
    """A ramp over a service whose steps are as its slots and its wait have them; takes no time."""

    def __init__(self, asker: Asker, stream: Asking, slots: int, wait_s: float) -> None:
        super().__init__(asker, stream, None, wait_s, lambda _: None)
        self._slots, self._waits_s = slots, wait_s

    def _step(self, connections: int) -> None:
        self._keep(step(connections, self._slots, self._waits_s, answered=20))


def climbed(slots: int, wait_s: float, **known: int) -> list[Step]:
    target, asker = Target("http://127.0.0.1:1/"), Asker(Allowance(**{"seconds": 3600} | known))
    try:
        with asker.asking(target, probing.address_of(target)) as stream:
            ramp = Modelled(asker, stream, slots, wait_s)
            ramp.climb()
            return ramp.steps
    finally:
        asker.close()


@given(st.integers(1, 64), st.floats(0.01, 29.0))
def test_no_step_queues_for_longer_than_an_answer_is_waited_for(slots: int, wait_s: float) -> None:
    steps = climbed(slots, wait_s)
    assert len(steps) > 1
    assert all(each.littles_s < LONGEST_ANSWER_S for each in steps if each.connections > 2)


@pytest.mark.parametrize(
    ("slots", "wait_s", "most"),
    [(1, 10.0, 2), (1, 20.0, 2), (10_000, 5.0, 256), (10_000, 0.1, 256), (4, 0.1, 64)],
)
def test_a_ramp_goes_as_far_as_answers_come_in_time(slots: int, wait_s: float, most: int) -> None:
    assert climbed(slots, wait_s)[-1].connections == most


def test_an_overload_is_no_longer_than_a_short_probe_waits_for_an_answer() -> None:
    """That is three seconds, where five are usual."""
    short, usual = (climbed(1, 0.1, seconds=each, connections=32) for each in (6, 60))
    assert max(each.littles_s for each in short) < 3.0
    assert max(each.littles_s for each in usual) > 3.0
