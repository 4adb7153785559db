"""Whole probes of servers in this process, with steps as short as such quick servers allow.

Its windows are of an engine whose clock no stall of the machine moves.
"""

from __future__ import annotations

import pytest

from loadtest.model.target import Target
from loadtest.probe import moments, probing
from loadtest.probe.limits import Allowance
from loadtest.probe.parts import light, ramp, waves
from loadtest.probe.progress import Told
from loadtest.probe.record import Sighting
from tests.driving import unstalled


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of known truth measure, these don't."""
    monkeypatch.setattr(moments, "Engine", unstalled)
    monkeypatch.setattr(ramp, "SHORTEST_STEP_S", 0.1)
    monkeypatch.setattr(ramp, "LONGEST_STEP_S", 0.3)
    monkeypatch.setattr(ramp, "FAILURES_TELL", 4)
    monkeypatch.setattr(probing, "AGAIN_S", 0.2)
    monkeypatch.setattr(light, "BESIDE_S", 1.0)
    monkeypatch.setattr(waves, "GROUPS", 1)


def probed(port: int, host: str = "127.0.0.1", told: Told | None = None, **known: int) -> Sighting:
    """What a probe sees of what listens there."""
    allowance = Allowance(**{"seconds": 20, "connections": 8} | known)
    return probing.probe(Target(f"http://{host}:{port}/"), allowance, told=told)
