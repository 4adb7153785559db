"""Whether what a probe found of a service is true."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.native.probe.truths import CPU, Truth


@dataclass(frozen=True)
class Seen:
    """What a probe found: slots with their interval, what binds, and all its words."""

    slots: float
    low: float
    high: float
    at_least: bool
    binds: str
    words: str

    @staticmethod
    def of(found: Mapping[str, Any]) -> Seen:
        """From the JSON of a probe."""
        slots = found["slots"]
        kinds = ("sentences", "evidence", "advice", "notes")
        words = "\n".join(line for kind in kinds for line in found.get(kind, ()))
        return Seen(
            slots=float(slots["value"]),
            low=float(slots["low"]),
            high=float(slots["high"]),
            at_least=bool(slots["at_least"]),
            binds=str(found["binds"]),
            words=words,
        )

    def __str__(self) -> str:
        least = "at least " * self.at_least
        return f"{least}{self.slots:g} slots ({self.low:g}–{self.high:g}), {self.binds}"


def wrong(truth: Truth, seen: Seen) -> list[str]:
    """What is not true of `truth`, one line each; empty where all is right."""
    found = []
    if seen.binds not in truth.binds:
        found.append(f"{seen.binds!r} binds: expected {' or '.join(truth.binds)}")
    if not _slots_are_right(truth, seen):
        found.append(f"{seen}: expected {truth.slots or 'no limit'}")
    if not re.search(truth.says, seen.words, re.IGNORECASE):
        found.append(f"no word of {truth.says!r}")
    return found


def _slots_are_right(truth: Truth, seen: Seen) -> bool:
    """A number where there is one. Without a limit “at least”, unless the CPU is one."""
    if truth.slots is not None:
        return truth.has(seen.slots) and not seen.at_least
    return seen.at_least or CPU in truth.binds
