"""Erlang's formulas: against their definition, and against a queue that is played through."""

from __future__ import annotations

import heapq
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.stats.queueing import slots_for, waiting_share

IN_HAND = st.floats(0.01, 60)


def by_definition(in_hand: float, slots: int) -> float:
    """Erlang C as textbooks print it."""
    last = in_hand**slots / math.factorial(slots) * slots / (slots - in_hand)
    others = sum(in_hand**n / math.factorial(n) for n in range(slots))
    return last / (others + last)


@given(IN_HAND, st.integers(1, 80))
def test_it_is_the_formula_of_the_textbooks(in_hand: float, slots: int) -> None:
    found = waiting_share(in_hand, slots)
    if slots <= in_hand:
        assert found == 1
    else:
        assert found == pytest.approx(by_definition(in_hand, slots), rel=1e-9)


@given(IN_HAND, st.floats(1e-6, 0.5))
def test_fewer_slots_would_not_do(in_hand: float, share: float) -> None:
    slots = slots_for(in_hand, share)
    assert waiting_share(in_hand, slots) <= share
    assert slots == 1 or waiting_share(in_hand, slots - 1) > share


def test_a_known_value() -> None:
    assert waiting_share(2, 3) == pytest.approx(4 / 9)


def test_many_slots_take_no_time_and_overflow_nothing() -> None:
    assert 100_000 < slots_for(100_000, 0.01) < 101_000


def test_a_queue_that_is_played_through_waits_as_often() -> None:
    assert waited(5.0, 8, arrivals=100_000) == pytest.approx(waiting_share(5.0, 8), abs=0.015)


def waited(in_hand: float, slots: int, arrivals: int) -> float:
    """The share that waited of requests that come at random and take 1 s on average."""
    chance, now, late = random.Random(3), 0.0, 0
    free = [0.0] * slots
    for _ in range(arrivals):
        now += chance.expovariate(in_hand)
        late += free[0] > now
        heapq.heapreplace(free, max(now, free[0]) + chance.expovariate(1.0))
    return late / arrivals
