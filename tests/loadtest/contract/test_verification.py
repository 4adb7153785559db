"""A check that fails on a busy machine: tried again, and then not blamed on the service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from loadtest.contract import conformance, slots, verification
from loadtest.contract.slots import SlotReport
from loadtest.contract.verification import Verified
from loadtest.inventory import manifest
from loadtest.system import idleness

SERVICE = manifest.load(variables={})["flask-sync"]
BUSY, IDLE = "load 48 on 2 cores", ""
HELD = SlotReport(
    service=SERVICE.name,
    declared=40,
    bound_by="pool",
    observed=40,
    backends=40,
    backends_allowed=40,
    keep_alive_p50_ms=0.4,
)
FEWER = "/about declares 40 slots (pool), but 39 requests waited at once"


def verified(
    monkeypatch: pytest.MonkeyPatch, checks: Sequence[list[str]], looks: Sequence[str]
) -> tuple[Verified, int]:
    """What comes of checks with these failures, between looks at the machine; how many it took."""
    taken: list[str] = []

    def check(*_: object) -> list[str]:
        taken.append("check")
        return checks[len(taken) - 1]

    machine: Iterator[str] = iter(looks)
    monkeypatch.setattr(conformance, "check", check)
    monkeypatch.setattr(idleness, "why_busy", lambda: next(machine))
    monkeypatch.setattr(idleness, "await_idleness", lambda: None)
    return verification.verify(SERVICE), len(taken)


def test_what_passes_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verified(monkeypatch, [[]], []) == (Verified(), 1)


def test_a_failure_on_an_idle_machine_is_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    found, checks = verified(monkeypatch, [["wrong body"]], [IDLE])
    assert (found, checks) == (Verified(("wrong body",)), 1)


def test_a_failure_on_a_busy_machine_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verified(monkeypatch, [["no answer"], []], [BUSY]) == (Verified(), 2)
    found, checks = verified(monkeypatch, [["no answer"], ["wrong body"]], [BUSY, IDLE])
    assert (found, checks) == (Verified(("wrong body",)), 2)


def test_a_machine_that_stays_busy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = verified(monkeypatch, [["no answer"], ["no answer"]], [BUSY, BUSY])
    told = "this machine is too busy to check it: load 48 on 2 cores; seen: no answer"
    assert (found.failures, found.busy) == ((told,), BUSY)


def counted(monkeypatch: pytest.MonkeyPatch, look: str, **seen: Any) -> Verified:
    """What comes of right answers and a slot check that sees this, each time."""
    report = SlotReport(**{**vars(HELD), **seen})
    monkeypatch.setattr(conformance, "check", lambda *_: [])
    monkeypatch.setattr(slots, "observe", lambda *_: report)
    monkeypatch.setattr(idleness, "why_busy", lambda: look)
    monkeypatch.setattr(idleness, "await_idleness", lambda: None)
    return verification.verify(SERVICE, database_url="postgresql://")


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({"observed": 39}, FEWER),
        ({"keep_alive_p50_ms": 6.0}, "a kept-alive /plaintext takes 6 ms (p50; below 5 expected)"),
    ],
)
def test_what_a_busy_machine_explains_is_a_warning_for_who_accepts_it(
    monkeypatch: pytest.MonkeyPatch, seen: dict[str, Any], told: str
) -> None:
    found = counted(monkeypatch, BUSY, **seen)
    [failure] = found.failures
    assert failure == f"this machine is too busy to check it: {BUSY}; seen: {told}"
    accepted = found.accepted("flask-sync")
    assert accepted.failures == ()
    assert accepted.warnings == (f"flask-sync: checked on a busy machine ({BUSY}): {told}",)
    assert accepted.seen == found.seen


@pytest.mark.parametrize(
    ("look", "seen"),
    [
        (IDLE, {"observed": 39}),
        (BUSY, {"observed": 41}),
        (BUSY, {"observed": 39, "backends": 41}),
        (BUSY, {"backends": 41, "keep_alive_p50_ms": 6.0}),
    ],
)
def test_what_no_lack_of_cpu_explains_stays_a_failure(
    monkeypatch: pytest.MonkeyPatch, look: str, seen: dict[str, Any]
) -> None:
    found = counted(monkeypatch, look, **seen)
    assert found.failures
    assert found.accepted("flask-sync") == found


def test_wrong_answers_stay_failures_on_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = verified(monkeypatch, [["wrong body"], ["wrong body"]], [BUSY, BUSY])
    assert found.accepted("flask-sync") == found
