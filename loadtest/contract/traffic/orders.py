"""Orders, right and wrong, and the checks of their answers."""

from __future__ import annotations

import random
from typing import Any

from loadtest.contract import catalogue
from loadtest.contract.catalogue import CUSTOMERS, ITEMS
from loadtest.engine.http_request import http_request, json_fits
from loadtest.engine.request import Check, Request


def order_request(host: str, lines: int, *, invalid: bool, generator: random.Random) -> Request:
    """An order of so many lines; of an `invalid` one the last line is wrong."""
    ordered = [(generator.randint(1, ITEMS), generator.randint(1, 5)) for _ in range(lines)]
    body = {
        "customer_id": generator.randint(1, CUSTOMERS),
        "lines": [{"item_id": number, "quantity": quantity} for number, quantity in ordered],
    }
    if invalid:
        body["lines"][-1]["quantity"] = 0  # type: ignore[index]
        check = _names_the_field(f"lines.{lines - 1}.quantity")
    else:
        check = _totals(sum(catalogue.price_cents(each) * quantity for each, quantity in ordered))
    return http_request("POST", host, "/orders", check, body=body)


def _totals(cents: int) -> Check:
    def fits(order: Any) -> bool:
        right = order.keys() == {"id", "total_cents"} and order["total_cents"] == cents
        return right and type(order["id"]) is int and order["id"] > 0

    return json_fits(fits, 201)


def _names_the_field(name: str) -> Check:
    def fits(answer: Any) -> bool:
        error = answer["error"]
        return error["code"] == "invalid" and {each["field"] for each in error["fields"]} == {name}

    return json_fits(fits, 422)
