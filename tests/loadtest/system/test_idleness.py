"""A machine without CPU time to spare is told from one that has some."""

from __future__ import annotations

import os
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.system import idleness

PARTS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
COUNTS = st.fixed_dictionaries({name: st.integers(0, 10_000) for name in PARTS})


class Times(SimpleNamespace):
    """As psutil gives them: seconds since the machine began, the sum of all among them."""

    def __iter__(self) -> object:
        return iter(vars(self).values())


@given(before=COUNTS, passed=COUNTS, guest=st.integers(0, 100))
def test_the_share_is_that_of_the_time_which_passed(
    before: dict[str, int], passed: dict[str, int], guest: int
) -> None:
    passed["user"] += guest
    after = {name: before[name] + passed[name] for name in PARTS}
    looks = iter([Times(**before, guest=0), Times(**after, guest=guest)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "cpu_times", lambda: next(looks))
        share = idleness.idle_share(0)
    total = sum(passed.values())
    assert share == (passed["idle"] / total if total else 1.0)


@pytest.mark.parametrize(("share", "busy"), [(0.0, True), (0.19, True), (0.21, False), (1, False)])
def test_a_busy_machine_is_told_with_its_load(
    monkeypatch: pytest.MonkeyPatch, share: float, busy: bool
) -> None:
    monkeypatch.setattr(idleness, "idle_share", lambda: share)
    monkeypatch.setattr(os, "getloadavg", lambda: (48.2, 1.0, 1.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert idleness.why_busy() == ("load 48 on 2 cores" if busy else "")


def test_the_wait_for_idleness_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idleness, "idle_share", lambda: 0.0)
    idleness.await_idleness(patience_s=0.01)
