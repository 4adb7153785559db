from __future__ import annotations

from dataclasses import replace

from loadtest.model.trial import Gate
from loadtest.run.witnesses import checks
from loadtest.run.witnesses.observer import Seen
from tests.loadtest.run.test_gates import GOOD
from tests.loadtest.run.witnesses.test_machine import QUIET


def test_where_nothing_could_be_watched_every_gate_passes() -> None:
    assert all(gate.passed for gate in checks.check(Seen(), [GOOD], None, []))


def test_a_quiet_trial_passes() -> None:
    found = checks.check(Seen(replace(QUIET, lasted_s=10.0), ()), [GOOD], 4008, [])
    assert [gate.name for gate in found if not gate.passed] == []


def test_a_busy_machine_can_be_accepted_and_nothing_else() -> None:
    busy = Gate("machine to itself", False, 0.3, 0.05, "make took 0.5 s", disturbance=True)
    foreign = replace(busy, name="only our requests")
    quiet = replace(busy, passed=True)
    accepted, refused, passed = checks.accepted([busy, foreign, quiet])
    assert (accepted.passed, accepted.accepted) == (True, True)
    assert refused == foreign
    assert passed == quiet
