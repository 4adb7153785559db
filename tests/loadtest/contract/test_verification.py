"""A check that fails on a busy machine: tried again, and then not blamed on the service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from loadtest.contract import conformance, verification
from loadtest.contract.verification import Verified
from loadtest.inventory import manifest
from loadtest.system import idleness

SERVICE = manifest.load(variables={})["flask-sync"]
BUSY, IDLE = "load 48 on 2 cores", ""


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
