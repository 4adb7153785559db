"""Runs in a row agree only where each of them gave each claim the same verdict."""

from __future__ import annotations

import pytest

from benchmarks.runs.verdicts import Done, agreed, agreement

CONFIRMED, REFUTED, OPEN = ("confirmed", 3), ("refuted", 6), ("undecided", 8)


def done(**verdicts: tuple[str, int]) -> Done:
    return Done(1, 300.0, 12.0, verdicts)


BUSY = Done(2, 80.0, None, {}, "the machine stayed busy")


@pytest.mark.parametrize(
    ("runs", "same"),
    [
        ([done(C1=CONFIRMED, C4=REFUTED), done(C1=("confirmed", 4), C4=REFUTED)], True),
        ([done(C1=CONFIRMED, C4=REFUTED), done(C1=CONFIRMED, C4=OPEN)], False),
        ([done(C1=CONFIRMED, C4=REFUTED), done(C1=CONFIRMED)], False),
        ([done(C1=CONFIRMED), BUSY], True),
        ([BUSY], False),
        ([], False),
    ],
)
def test_runs_agree_where_each_claim_has_one_verdict(runs: list[Done], same: bool) -> None:
    assert agreed(runs) is same


def test_verdicts_are_counted_by_claim() -> None:
    counts = agreement([done(C1=CONFIRMED), done(C1=CONFIRMED), done(C1=OPEN), BUSY])
    assert counts == {"C1": {"confirmed": 2, "undecided": 1}}


def test_a_run_is_told_in_one_line() -> None:
    assert str(done(C1=CONFIRMED)) == ("seed 1: 300 s, first figure after 12 s; C1 confirmed (3)")
    assert str(BUSY) == "seed 2: 80 s; the machine stayed busy"
