"""The items of services/postgres/02-seed.sql: every value follows from the item's number."""

from __future__ import annotations

from typing import Any

ITEMS, CUSTOMERS = 10_000, 1_000

_COLOURS = ("Amber", "Azure", "Coral", "Ivory", "Jade", "Ochre", "Ruby", "Slate")
_THINGS = ("bowl", "clock", "desk", "kettle", "lamp", "mirror", "shelf", "vase", "stool")


def item(number: int) -> dict[str, Any]:
    """The item with that id, as the contract shows it."""
    width, height = 20 + number * 7 % 180, 20 + number * 11 % 180
    workshop = 1 + number % 17
    return {
        "id": number,
        "name": f"{_COLOURS[number % 8]} {_THINGS[number % 9]} {number}",
        "description": f"Catalogue number {number:05}, made in workshop {workshop} – "
        f"{width} × {height} mm.",
        "price_cents": price_cents(number),
        "stock": number * 31 % 500,
    }


def price_cents(number: int) -> int:
    """What the item with that id costs."""
    return 100 + number * 7919 % 99900


def page(limit: int, offset: int) -> dict[str, Any]:
    """A page of items in order of id, as the contract shows it."""
    numbers = range(offset + 1, min(offset + limit, ITEMS) + 1)
    return {"items": [item(number) for number in numbers], "limit": limit, "offset": offset}
