"""Orders and logins checked by hand, and orders priced."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lab.contract import errors

MAX_ID, MAX_QUANTITY, MAX_LINES, MAX_NOTE, MAX_USERNAME = 2_147_483_647, 1_000, 500, 500, 64

Problems = list[tuple[str, str]]


class OrderLine(Protocol):
    """One line of an order, whatever class a service gives it."""

    @property
    def item_id(self) -> int: ...
    @property
    def quantity(self) -> int: ...


class Order(Protocol):
    """An order that has been checked."""

    @property
    def customer_id(self) -> int: ...
    @property
    def lines(self) -> Sequence[OrderLine]: ...
    @property
    def note(self) -> str: ...


@dataclass(frozen=True, slots=True)
class NewLine:
    """One line: `quantity` pieces of an item."""

    item_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as the client sent it, every value within the contract's limits."""

    customer_id: int
    lines: tuple[NewLine, ...]
    note: str = ""


def new_order(document: Any) -> NewOrder:
    """Check a parsed body; raises one 422 Fault that names every wrong field."""
    if not isinstance(document, dict):
        raise errors.invalid(("body", "an object"))
    problems = _unknown(document, ("customer_id", "lines", "note"), "")
    _check_integer(document, "customer_id", MAX_ID, "", problems)
    _check_text(document, "note", 0, MAX_NOTE, problems)
    _check_lines(document.get("lines"), problems)
    if problems:
        raise errors.invalid(*problems)
    lines = tuple(NewLine(line["item_id"], line["quantity"]) for line in document["lines"])
    return NewOrder(document["customer_id"], lines, document.get("note", ""))


def username(document: Any) -> str:
    """Check the body of a login; raises a 422 Fault."""
    if not isinstance(document, dict):
        raise errors.invalid(("body", "an object"))
    problems = _unknown(document, ("username",), "")
    _check_text(document, "username", 1, MAX_USERNAME, problems)
    if problems:
        raise errors.invalid(*problems)
    return str(document["username"])


def total_cents(order: Order, customer: object, prices: Mapping[int, int]) -> int:
    """Sum of quantity times price; raises a 422 Fault naming an unknown customer and unknown items.

    `customer` is None where the database has none of that id; `prices` maps item id to cents.
    """
    problems: Problems = [] if customer is not None else [("customer_id", "no such customer")]
    problems += [
        (f"lines.{index}.item_id", "no such item")
        for index, line in enumerate(order.lines)
        if line.item_id not in prices
    ]
    if problems:
        raise errors.invalid(*problems)
    total = sum(line.quantity * prices[line.item_id] for line in order.lines)
    return operator.index(total)  # Postgres would round a part of a cent in silence


def columns(order: Order, prices: Mapping[int, int]) -> tuple[list[int], list[int], list[int]]:
    """The lines as the arrays that `queries.NEW_LINES` takes: items, quantities, prices."""
    items = [line.item_id for line in order.lines]
    return items, [line.quantity for line in order.lines], [prices[item] for item in items]


def is_text(value: str) -> bool:
    """Whether `value` can be stored: no NUL, no lone surrogate."""
    if value.isascii():
        return "\0" not in value
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _unknown(document: Mapping[str, Any], known: tuple[str, ...], prefix: str) -> Problems:
    return [(prefix + key, "unknown") for key in document if key not in known]


def _check_lines(lines: Any, problems: Problems) -> None:
    if not isinstance(lines, list) or not 1 <= len(lines) <= MAX_LINES:
        problems.append(("lines", f"a list of 1 to {MAX_LINES} lines"))
        return
    for index, line in enumerate(lines):
        if not isinstance(line, dict):
            problems.append((f"lines.{index}", "an object"))
            continue
        prefix = f"lines.{index}."
        if len(line) > 2 or line.keys() != {"item_id", "quantity"}:
            problems += _unknown(line, ("item_id", "quantity"), prefix)
        _check_integer(line, "item_id", MAX_ID, prefix, problems)
        _check_integer(line, "quantity", MAX_QUANTITY, prefix, problems)


def _check_integer(
    document: Mapping[str, Any], key: str, maximum: int, prefix: str, problems: Problems
) -> None:
    value = document.get(key)
    # A boolean is an int to Python, not to JSON.
    if type(value) is not int or not 1 <= value <= maximum:
        problems.append((prefix + key, f"a whole number from 1 to {maximum}"))


def _check_text(
    document: Mapping[str, Any], key: str, minimum: int, maximum: int, problems: Problems
) -> None:
    value = document.get(key, "")
    if not (isinstance(value, str) and minimum <= len(value) <= maximum and is_text(value)):
        problems.append((key, f"text of {minimum} to {maximum} characters without NUL"))
