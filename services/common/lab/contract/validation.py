"""Whole numbers in paths and query strings, for every service that checks by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from lab.contract import errors

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True)
class Number:
    """A whole-number parameter within bounds; `default` is None where it is required."""

    name: str
    minimum: int
    maximum: int
    default: int | None = None

    @property
    def message(self) -> str:
        """What a right value is."""
        return f"a whole number from {self.minimum} to {self.maximum}"


ITEM_ID = Number("id", 1, 2_147_483_647)
LIMIT = Number("limit", 1, 100, 20)
OFFSET = Number("offset", 0, 1_000_000, 0)
WAIT_MS = Number("ms", 0, 10_000, 100)
FANOUT_N = Number("n", 1, 20, 5)
FANOUT_MS = Number("ms", 0, 1_000, 50)
STREAM_N = Number("n", 1, 1_000, 10)
STREAM_MS = Number("ms", 0, 1_000, 100)
CPU_N = Number("n", 0, 50_000_000, 100_000)


def whole_number(text: str) -> int | None:
    """The value of `text` under the contract's syntax, None for any other text."""
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None


def number(text: str | None, parameter: Number) -> int:
    """The value of one parameter; raises a 422 Fault that names it."""
    return numbers({} if text is None else {parameter.name: text}, parameter)[0]


def numbers(given: Mapping[str, str], *parameters: Number) -> list[int]:
    """The values of `parameters` in order; raises one 422 Fault that names each wrong one."""
    values = [_value(given.get(parameter.name), parameter) for parameter in parameters]
    wrong = [p for p, value in zip(parameters, values, strict=True) if value is None]
    if wrong:
        raise errors.invalid(*((p.name, p.message) for p in wrong))
    return values  # type: ignore[return-value]


def query(raw: str | bytes) -> dict[str, str]:
    """A query string as a mapping where the last of equal names counts, as the contract wants."""
    text = raw.decode("latin-1") if isinstance(raw, bytes) else raw
    return dict(parse_qsl(text, keep_blank_values=True))


def _value(text: str | None, parameter: Number) -> int | None:
    if text is None:
        return parameter.default
    value = whole_number(text)
    if value is None or not parameter.minimum <= value <= parameter.maximum:
        return None
    return value
