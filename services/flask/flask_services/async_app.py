"""flask-async: flask-gthread, but for its views: they are `async def` and await asyncpg.

Flask runs such a view in an event loop that it makes for this one request, in a thread of its own,
while the thread that has the request waits (`asgiref.sync.async_to_sync`). A view may wait for
many things at once. A worker still has as many requests in hand as threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, cast

from flask import Flask, current_app
from flask.typing import ResponseReturnValue

from flask_services import app
from flask_services.extensions import json_body, query
from flask_services.looped import Looped
from flask_services.models import MODELS
from lab.contract import errors, orders, validation
from lab.postgres import queries

AWAITING = replace(MODELS["threads"], fanout="at once", packages=("gunicorn", "asgiref", "asyncpg"))


def create_app() -> Flask:
    """The Flask application whose views are all `async def`."""
    flask = app.create_app("threads", database=Looped, concurrency=AWAITING)
    flask.view_functions |= {
        "items.list_items": list_items,
        "items.get_item": get_item,
        "orders.create_order": create_order,
        "waits.wait": wait,
        "waits.fanout": fanout,
        "status.readyz": readyz,
    }
    for name, view in flask.view_functions.items():
        flask.view_functions[name] = awaitable(view)
    return flask


def awaitable(view: Callable[..., Any]) -> Callable[..., Any]:
    """A view that has nothing to await, behind the keyword that all others have."""
    if iscoroutinefunction(view):
        return view

    @wraps(view)
    async def awaited(**arguments: Any) -> Any:
        return view(**arguments)

    return awaited


def database() -> Looped:
    """The worker's database."""
    return cast(Looped, current_app.extensions["database"])


async def list_items() -> ResponseReturnValue:
    limit, offset = validation.numbers(query(), validation.LIMIT, validation.OFFSET)
    items = await database().rows(queries.ITEMS, limit, offset)
    return {"items": items, "limit": limit, "offset": offset}


async def get_item(item_id: str) -> ResponseReturnValue:
    item = await database().row(queries.ITEM, validation.number(item_id, validation.ITEM_ID))
    if item is None:
        raise errors.not_found("no such item")
    return item


async def create_order() -> ResponseReturnValue:
    return await database().order(orders.new_order(json_body())), 201


async def wait() -> ResponseReturnValue:
    (ms,) = validation.numbers(query(), validation.WAIT_MS)
    await database().row(queries.WAIT, ms)
    return {"ms": ms}


async def fanout() -> ResponseReturnValue:
    n, ms = validation.numbers(query(), validation.FANOUT_N, validation.FANOUT_MS)
    await asyncio.gather(*(database().row(queries.WAIT, ms) for _ in range(n)))
    return {"n": n, "ms": ms}


async def readyz() -> ResponseReturnValue:
    await database().ready()
    return {"status": "ready"}
