"""Conditions on what a probe found, under which a command ends with exit code 1."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from loadtest.errors import LabError
from loadtest.model.counts import number_of
from loadtest.probe.record import Bound

Became = Literal["failed", "passed", "not decided", "not measured"]
BINDS, LIGHT_WAIT = "binds", "beside_s"
_STILL_GROWING = ("nothing yet", "generator")  # what binds where more connections had more


def _beside_s(found: Mapping[str, Any]) -> float | None:
    """A request that failed never had its answer. None where not one ended or waited."""
    beside = found["beside"]
    if not beside or not (beside["answered"] or beside["failed"] or beside["p50_s"]):
        return None
    failed: bool = beside["failed"] > beside["answered"]
    return math.inf if failed else float(beside["p50_s"])


FIGURES: Mapping[str, Callable[[Mapping[str, Any]], float | None]] = {
    "slots": lambda found: found["slots"]["value"],
    "plateau_rps": lambda found: found["plateau_rps"],
    "wait_s": lambda found: found["wait_s"],
    LIGHT_WAIT: _beside_s,
}
# Figures that may be larger than the probe could see.
_AT_LEAST: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "slots": lambda found: found["slots"]["at_least"],
    "plateau_rps": lambda found: found["binds"] in _STILL_GROWING,
    LIGHT_WAIT: lambda found: not found["beside"]["answered"] and not found["beside"]["failed"],
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(r"\s*(\w+)\s*(<=|>=|==|!=|<|>)\s*(.+?)\s*")


class ConditionError(LabError):
    """A condition can't be read; the message shows how one is written."""


@dataclass(frozen=True)
class Condition:
    """A figure, how it is compared, and with what."""

    text: str
    name: str
    sign: str
    wanted: float | str

    def judged(self, found: Mapping[str, Any]) -> tuple[Became, str]:
        """What became of it by a probe's document, and why. "failed": it holds.

        A figure that is known as "at least" decides nothing that a larger one could turn.
        """
        value: float | str | None = (
            found[BINDS] if self.name == BINDS else FIGURES[self.name](found)
        )
        if value is None:
            return "not measured", f"{self.text}: {self.name} was not measured"
        told = self._told(value, found)
        if not isinstance(value, str) and _AT_LEAST.get(self.name, _exact)(found):
            told = f"at least {told}"
            if self._may_turn(value):
                return "not decided", f"{self.text}: {self.name} is {told}"
        holds = _COMPARISONS[self.sign](value, self.wanted)
        return ("failed" if holds else "passed"), f"{self.text}: {self.name} is {told}"

    def _told(self, value: float | str, found: Mapping[str, Any]) -> str:
        if value == math.inf:
            failed, answered = found["beside"]["failed"], found["beside"]["answered"]
            asked = number_of(failed + answered, "request")
            return f"endless: {failed:,} of {asked} failed"
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    def _may_turn(self, least: float) -> bool:
        """Whether some larger value would compare otherwise than `least`."""
        wanted = self.wanted
        if isinstance(wanted, str):
            return False
        compare = _COMPARISONS[self.sign]
        passes_it = self.sign in ("==", "!=") and least <= wanted
        return passes_it or compare(least, wanted) != compare(math.inf, wanted)


def _exact(_: Mapping[str, Any]) -> bool:
    return False


def require_beside(conditions: Iterable[Condition], how: str) -> None:
    """Raise ConditionError where one is about a light request, and none is sent beside."""
    for each in conditions:
        if each.name == LIGHT_WAIT:
            raise ConditionError(f"{each.text!r}: {LIGHT_WAIT} needs {how}")


def condition(text: str, where: str = "--fail-if") -> Condition:
    """`slots < 8`, `plateau_rps < 100`, `binds == one at a time`; raises ConditionError.

    `where` names the origin of the text.
    """
    found = _CONDITION.fullmatch(text)
    known = ", ".join((*FIGURES, BINDS))
    if not found or found[1] not in (*FIGURES, BINDS):
        raise ConditionError(
            f"{where} {text!r}: write NAME SIGN VALUE, as in 'slots < 8'; names: {known}"
        )
    name, sign, wanted = found.groups()
    if name == BINDS:
        return Condition(text, name, sign, _bound(text, where, sign, wanted.strip("'\"")))
    return Condition(text, name, sign, _number(text, where, wanted))


def _bound(text: str, where: str, sign: str, wanted: str) -> str:
    if sign not in ("==", "!="):
        raise ConditionError(f"{where} {text!r}: {BINDS} takes == or !=")
    if wanted not in get_args(Bound):
        known = ", ".join(get_args(Bound))
        raise ConditionError(f"{where} {text!r}: {BINDS} is one of: {known}")
    return wanted


def _number(text: str, where: str, wanted: str) -> float:
    try:
        found = float(wanted)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ConditionError(f"{where} {text!r}: {wanted} is no number")
    return found
