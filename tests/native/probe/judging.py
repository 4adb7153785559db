"""Whether what a probe found of a service is true, and whether it said that it can't know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.native.probe.truths import CPU, NOTHING_YET, TOLERANCE, Truth

Verdict = Literal["right", "can't know", "wrong"]
# What a probe says of a busy machine, or of a gateway, beside or instead of a name.
DOUBTS = ("other programs", "a limit of the rate")


@dataclass(frozen=True)
class Seen:
    """What a probe found: slots with their interval, what binds, and all its words.

    `could_be`: what it names as possible, too. `told`: its sentence about what binds. `found` is
    the whole answer.
    """

    slots: float
    low: float
    high: float
    at_least: bool
    binds: str
    words: str
    could_be: tuple[str, ...] = ()
    told: str = ""
    found: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

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
            could_be=tuple(found.get("could_be", ())),
            told=next(iter(found.get("sentences", ())[1:2]), ""),
            found=found,
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
    if not _says(truth, seen):
        found.append(f"no word of {truth.says!r}")
    return found


def verdict(truth: Truth, seen: Seen) -> Verdict:
    """right; else “can't know” where the probe itself doubts whatever is not true; else wrong."""
    if not wrong(truth, seen):
        return "right"
    name = seen.binds in truth.binds or _doubts_its_name(truth, seen)
    number = _slots_are_right(truth, seen) or _doubts_its_number(truth, seen)
    return "can't know" if name and number and _says(truth, seen) else "wrong"


def _doubts_its_name(truth: Truth, seen: Seen) -> bool:
    """Whether it names the truth as possible, or what else may be it, or nothing at all."""
    doubted = any(each.startswith(DOUBTS) for each in seen.could_be)
    return (
        seen.binds == NOTHING_YET or doubted or any(each in truth.binds for each in seen.could_be)
    )


def _doubts_its_number(truth: Truth, seen: Seen) -> bool:
    """Whether the truth is within what it says. Where there is no limit, its name is doubted."""
    if truth.slots is None:
        return any(each.startswith(DOUBTS) for each in seen.could_be)
    if seen.at_least:
        return seen.slots <= (1 + TOLERANCE) * truth.slots
    return seen.low <= truth.slots <= seen.high


def _says(truth: Truth, seen: Seen) -> bool:
    return re.search(truth.says, seen.words, re.IGNORECASE) is not None


def _slots_are_right(truth: Truth, seen: Seen) -> bool:
    """A number where there is one. Without a limit “at least”, unless the CPU is one."""
    if truth.slots is not None:
        return truth.has(seen.slots) and not seen.at_least
    return seen.at_least or CPU in truth.binds
