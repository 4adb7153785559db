"""`/orders`: validation and one transaction."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from flask_services.extensions import get_database, json_body
from lab.contract import orders

blueprint = Blueprint("orders", __name__)


@blueprint.post("/orders")
def create_order() -> ResponseReturnValue:
    return get_database().order(orders.new_order(json_body())), 201
