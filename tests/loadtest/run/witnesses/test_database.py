from __future__ import annotations

import pytest

from loadtest.run.presence import Look
from loadtest.run.witnesses import database
from tests.loadtest.run.test_gates import GOOD


def at(t: float, foreign: int | None) -> Look:
    return Look(t - 0.01, t, foreign_sessions=foreign)  # in vain: the service gave no metrics


@pytest.mark.parametrize(
    ("looks", "passed"),
    [
        ([], True),
        ([at(1.0, None)], True),
        ([at(1.0, 0), at(10.0, 0)], True),
        ([at(-0.5, 1), at(1.0, 0), at(12.0, 1)], True),  # before the window, and after it
        ([at(1.0, 0), at(10.1, 1)], False),
    ],
)
def test_other_clients_queries_in_the_window_are_seen(looks: list[Look], passed: bool) -> None:
    gate = database.to_itself(GOOD, looks)
    assert gate.passed is passed
    assert gate.disturbance or passed
