"""What the views do with the database: synchronous, as Django's connections are."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from django_services.environment import SETTINGS
from lab.contract import errors, orders, validation
from lab.postgres import queries

Row = dict[str, Any]

_ITEM, _ITEMS, _WAIT, _PING, _CUSTOMER, _PRICES, _NEW_ORDER, _NEW_LINES = map(
    queries.percent,
    (
        queries.ITEM,
        queries.ITEMS,
        queries.WAIT,
        queries.PING,
        queries.CUSTOMER,
        queries.PRICES,
        queries.NEW_ORDER,
        queries.NEW_LINES,
    ),
)


def get_item(item_id: str) -> Row:
    """One item; raises a Fault 422 or 404."""
    found = _rows(_ITEM, validation.number(item_id, validation.ITEM_ID))
    if not found:
        raise errors.not_found("no such item")
    return found[0]


def list_items(query: dict[str, str]) -> Row:
    """A page of items; raises a Fault 422."""
    limit, offset = validation.numbers(query, validation.LIMIT, validation.OFFSET)
    return {"items": _rows(_ITEMS, limit, offset), "limit": limit, "offset": offset}


def create_order(order: orders.NewOrder) -> Row:
    """Price and insert an order in one transaction; raises a 422 Fault and then writes nothing."""
    items = [line.item_id for line in order.lines]
    with transaction.atomic():
        customer = _rows(_CUSTOMER, order.customer_id)
        prices = {item["id"]: item["price_cents"] for item in _rows(_PRICES, items)}
        total = orders.total_cents(order, customer or None, prices)
        number = _rows(_NEW_ORDER, order.customer_id, order.note, total)[0]["id"]
        with connection.cursor() as cursor:
            cursor.execute(_NEW_LINES, (number, *orders.columns(order, prices)))
    return {"id": number, "total_cents": total}


def wait(query: dict[str, str]) -> Row:
    """One query that takes `ms` milliseconds."""
    (ms,) = validation.numbers(query, validation.WAIT_MS)
    _rows(_WAIT, ms)
    return {"ms": ms}


def fan_out(query: dict[str, str]) -> Row:
    """`n` such queries, one after another: a request has one connection."""
    n, ms = validation.numbers(query, validation.FANOUT_N, validation.FANOUT_MS)
    for _ in range(n):
        _rows(_WAIT, ms)
    return {"n": n, "ms": ms}


def check_ready() -> None:
    """Raises OperationalError where Postgres is out of reach; a busy pool is one that works."""
    if connection.in_use < SETTINGS.pool_size:
        _rows(_PING)


def pool_size() -> int:
    """Connections that this process holds, used and idle."""
    return int(connection.pool.get_stats()["pool_size"])


def _rows(query: str, *arguments: object) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
