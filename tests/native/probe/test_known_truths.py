"""Services whose slots and limit are known, probed once each by the command."""

from __future__ import annotations

import pytest

from tests.native.probe import probing
from tests.native.probe.judging import Seen, wrong
from tests.native.probe.truths import TRUTHS, Truth

pytestmark = pytest.mark.timed

SECONDS, BESIDE = 6, 7


@pytest.fixture(scope="module")
def found() -> dict[str, Seen]:
    """What is wrong beside others may be their doing, so it is probed once more, alone."""
    first = {truth.name: seen for truth, seen in probing.each(TRUTHS, SECONDS, BESIDE)}
    doubtful = [truth for truth in TRUTHS if wrong(truth, first[truth.name])]
    return first | {truth.name: seen for truth, seen in probing.each(doubtful, SECONDS, beside=1)}


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.name)
def test_slots_and_what_binds_are_those_that_are_known(
    truth: Truth, found: dict[str, Seen]
) -> None:
    seen = found[truth.name]
    assert wrong(truth, seen) == [], seen.words
