from __future__ import annotations

import pytest

from loadtest.model.trial import Sample
from loadtest.run.witnesses import database
from tests.loadtest.run.test_gates import GOOD


def at(t: float, foreign: int | None) -> Sample:
    return Sample(t=t, cpu=0.1, pss_bytes=1, threads=1, foreign_sessions=foreign)


@pytest.mark.parametrize(
    ("samples", "passed"),
    [
        ([], True),
        ([at(1.0, None)], True),
        ([at(1.0, 0), at(10.0, 0)], True),
        ([at(-0.5, 1), at(1.0, 0), at(12.0, 1)], True),  # before the window, and after it
        ([at(1.0, 0), at(10.1, 1)], False),
    ],
)
def test_other_clients_queries_in_the_window_are_seen(samples: list[Sample], passed: bool) -> None:
    gate = database.to_itself(GOOD, samples)
    assert gate.passed is passed
    assert gate.disturbance or passed
