"""What counts as right about a service of known truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.native.probe.judging import Seen, verdict, wrong
from tests.native.probe.truths import TRUTHS, Truth

FOUR = Truth("four", (), 4, ("slots",), says="worker")
FORTY = Truth("forty", (), 40, ("slots",))
JITTERY = replace(FOUR, steady=False)
OPEN = Truth("open", (), None, ("nothing yet",))
FULL = Truth("full", (), None, ("cpu", "connections"))


def seen(slots: float, binds: str = "slots", *, at_least: bool = False) -> Seen:
    return Seen(slots, slots, slots, at_least, binds, "4 Worker processes")


@pytest.mark.parametrize(
    ("truth", "found"),
    [
        (FOUR, seen(4)),
        (FOUR, seen(4.3)),  # rounds to it
        (FORTY, seen(36.1)),
        (FORTY, seen(44)),
        (JITTERY, seen(3.7)),
        (OPEN, seen(64, "nothing yet", at_least=True)),
        (FULL, seen(1, "cpu")),
        (FULL, seen(9, "connections")),
    ],
)
def test_what_is_true_is_right(truth: Truth, found: Seen) -> None:
    assert wrong(truth, found) == []


@pytest.mark.parametrize(
    ("truth", "found", "told"),
    [
        (FOUR, seen(5), "expected 4"),
        (FOUR, seen(3.4), "expected 4"),
        (FORTY, seen(35), "expected 40"),
        (JITTERY, seen(4.6), "expected 4"),
        (FOUR, seen(4, at_least=True), "at least 4 slots (4–4), slots: expected 4"),
        (FOUR, seen(4, "cpu"), "'cpu' binds: expected slots"),
        (replace(FOUR, says="thread"), seen(4), "no word of 'thread'"),
        (OPEN, seen(64, "nothing yet"), "expected no limit"),
        (FULL, seen(1, "generator"), "expected cpu or connections"),
    ],
)
def test_what_is_not_is_told(truth: Truth, found: Seen, told: str) -> None:
    [mistake] = wrong(truth, found)
    assert told in mistake


BUSY = ("other programs, which took 1.5 of 2 cores",)
FIFTEEN = Truth("fifteen", (), 15, ("pool or upstream",))


def doubting(found: Seen, *could_be: str, low: float = 0, high: float = 0) -> Seen:
    low, high = low or found.low, high or found.high
    return replace(found, could_be=could_be, low=low, high=high)


@pytest.mark.parametrize(
    ("truth", "found", "expected"),
    [
        (FIFTEEN, seen(15, "pool or upstream"), "right"),
        (FIFTEEN, doubting(seen(15, "pool or upstream"), *BUSY), "right"),
        (FIFTEEN, seen(15, "slots"), "wrong"),
        (FIFTEEN, doubting(seen(15, "slots"), "pool or upstream"), "can't know"),
        (FIFTEEN, doubting(seen(15, "slots"), *BUSY), "can't know"),
        (FIFTEEN, doubting(seen(15, "slots"), "a lock"), "wrong"),
        (FIFTEEN, seen(12, "nothing yet", at_least=True), "can't know"),
        (FIFTEEN, seen(64, "nothing yet", at_least=True), "wrong"),
        (FIFTEEN, doubting(seen(12, "pool or upstream"), high=16), "can't know"),
        (FIFTEEN, doubting(seen(12, "pool or upstream"), *BUSY, high=14), "wrong"),
        (FIFTEEN, doubting(seen(12, "slots"), high=16), "wrong"),
        (OPEN, doubting(seen(20, "pool or upstream"), *BUSY), "can't know"),
        (OPEN, doubting(seen(20, "pool or upstream"), "slots"), "wrong"),
        (replace(FIFTEEN, says="503"), doubting(seen(15, "slots"), *BUSY), "wrong"),
    ],
)
def test_what_is_not_true_is_wrong_unless_the_probe_doubts_it(
    truth: Truth, found: Seen, expected: str
) -> None:
    assert verdict(truth, found) == expected


def test_it_reads_what_a_probe_writes() -> None:
    slots: dict[str, Any] = {"value": 4, "low": 3.9, "high": 4.1, "at_least": False}
    said = {"sentences": ["four", "slots bind"], "evidence": ["a"], "advice": ["b"]}
    read = Seen.of({"slots": slots, "binds": "slots", "could_be": ["a lock"], **said})
    told = "four\nslots bind\na\nb"
    assert read == Seen(4, 3.9, 4.1, False, "slots", told, ("a lock",), "slots bind")


def test_no_two_services_have_one_name() -> None:
    assert len({truth.name for truth in TRUTHS}) == len(TRUTHS)
