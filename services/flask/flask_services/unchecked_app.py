"""flask-unchecked: flask-gthread, but for orders, whose fields nobody checks.

What checking costs only shows beside a service that does not check. Syntax, size and media type
of a body are checked as everywhere. A wrong field fails in the code or in the tables, as a 500 that
names nothing. An unknown member is accepted. The tables' own constraints keep malformed orders out.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Flask
from flask.typing import ResponseReturnValue

from flask_services import app
from flask_services.extensions import get_database, json_body
from lab.contract import orders


def create_app(model: str) -> Flask:
    """The Flask application that takes orders on trust."""
    flask = app.create_app(model)
    flask.view_functions["orders.create_order"] = create_order
    return flask


def create_order() -> ResponseReturnValue:
    document = cast(dict[str, Any], json_body())
    lines = tuple(orders.NewLine(line["item_id"], line["quantity"]) for line in document["lines"])
    order = orders.NewOrder(document["customer_id"], lines, document.get("note", ""))
    return get_database().order(order), 201
