"""Conditions on what a probe found, under which a command ends with exit code 1."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loadtest.errors import LabError

FIGURES: Mapping[str, Callable[[Mapping[str, Any]], float | None]] = {
    "slots": lambda found: found["slots"]["value"],
    "plateau_rps": lambda found: found["plateau_rps"],
    "wait_s": lambda found: found["wait_s"],
    "beside_s": lambda found: (found["beside"] or {}).get("p50_s"),
}
BINDS = "binds"
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

    def met(self, found: Mapping[str, Any]) -> tuple[bool, str]:
        """Whether it holds of a probe's document, and a line that says why or why not.

        Slots that are known as "at least" decide nothing that more of them could turn.
        """
        if self.name == BINDS:
            value: float | str | None = found["binds"]
        else:
            value = FIGURES[self.name](found)
        if value is None:
            return False, f"{self.text}: there is no {self.name} in this probe"
        told = f"{value:.4g}" if isinstance(value, float) else str(value)
        holds = _COMPARISONS[self.sign](value, self.wanted)
        if self.name == "slots" and found["slots"]["at_least"]:
            told = f"at least {told}"
            if holds and self.sign not in (">", ">="):
                return False, f"{self.text}: not decided, {self.name} is {told}"
        return holds, f"{self.text}: {self.name} is {told}"


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
        if sign not in ("==", "!="):
            raise ConditionError(f"{where} {text!r}: {BINDS} takes == or !=")
        return Condition(text, name, sign, wanted.strip("'\""))
    try:
        return Condition(text, name, sign, float(wanted))
    except ValueError:
        raise ConditionError(f"{where} {text!r}: {wanted} is no number") from None
