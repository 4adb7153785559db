"""`/items`: rows from Postgres."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from flask_services.extensions import get_database, query
from lab.contract import errors, validation
from lab.postgres import queries

blueprint = Blueprint("items", __name__, url_prefix="/items")


@blueprint.get("")
def list_items() -> ResponseReturnValue:
    limit, offset = validation.numbers(query(), validation.LIMIT, validation.OFFSET)
    items = get_database().rows(queries.ITEMS, limit, offset)
    return {"items": items, "limit": limit, "offset": offset}


@blueprint.get("/<item_id>")
def get_item(item_id: str) -> ResponseReturnValue:
    item = get_database().row(queries.ITEM, validation.number(item_id, validation.ITEM_ID))
    if item is None:
        raise errors.not_found("no such item")
    return item
