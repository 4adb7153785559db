"""The checks of Locust's start form, which itself takes whatever is typed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Container, Iterable, Mapping

from loadtest.contract import scenarios
from loadtest.contract.scenarios import ScenarioError
from loadtest.engine.kinds import KINDS

FieldCheck = Callable[[str], str]


def problem(fields: Mapping[str, str]) -> str:
    """What is wrong with the form's values, in a sentence; empty where nothing is.

    `fields` are Locust's start form as text; what is missing is not checked.
    """
    for field, check in _CHECKS.items():
        if field in fields and (message := check(fields[field].strip())):
            return message
    if "scenario" not in fields:
        return ""
    try:
        scenarios.choose(fields["scenario"]).filled(
            scenarios.parse_parameters(fields.get("parameters", ""))
        )
    except ScenarioError as error:
        return str(error)
    return ""


def unlisted(kind: str, chosen: Iterable[str], known: Iterable[str]) -> str:
    """Which of the chosen names is not a known one, in a sentence; empty where all are."""
    listed = list(known)
    strange = next((name for name in chosen if name not in listed), None)
    if strange is None:
        return ""
    return f"unknown {kind} {strange[:40]!r}; there are: {', '.join(listed)}"


def hidden(fields: Iterable[str], options: Container[str]) -> str:
    """Which field sets one of Locust's options that its form does not have; empty where none does.

    Locust would take it, and fail on a word where the option is a number.
    """
    strange = next((each for each in fields if each in options and each not in _OF_LOCUST), None)
    if strange is None:
        return ""
    return f"{strange} is not set here, but where Locust is started; leave it out"


def _number(label: str, least: float, most: float, *, whole: bool = False) -> FieldCheck:
    kind = "a whole number" if whole else "a number"

    def check(text: str) -> str:
        try:
            value: float = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        if least <= value <= most:
            return ""
        return f"{label}: give {kind} from {least:,} to {most:,}, not {text[:40]!r}"

    return check


def _run_time(text: str) -> str:
    """Locust would take 0 for no limit, and more than it can wait for."""
    match = re.fullmatch(r"(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s?)?", text, re.ASCII)
    if not text or (match and any(int(part or 0) for part in match.groups())):
        return ""
    return f"Run time: give it as 20s, 3m or 1h20m, not {text[:40]!r}"


def _load(text: str) -> str:
    return unlisted("load", [text], KINDS)


_OF_LOCUST = {"user_count", "spawn_rate", "run_time", "host", "profile", "user_classes"}
LOAD = ("scenario", "parameters", "load")
_CHECKS: dict[str, FieldCheck] = {
    "user_count": _number("Number of users", 1, 20_000, whole=True),
    "spawn_rate": _number("Ramp up", 0.1, 20_000),
    "rate": _number("Rate", 0.1, 1_000_000),
    "think_ms": _number("Think ms", 0, 600_000),
    "request_timeout": _number("Request timeout", 0.1, 600),
    "run_time": _run_time,
    "load": _load,
    "load_seed": _number("Load seed", 0, 2**31 - 1, whole=True),
}
