"""flask-pydantic: flask-gthread, but for orders, which Pydantic models check instead of hands."""

from __future__ import annotations

from typing import Annotated

from flask import Flask
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flask_services import app
from flask_services.extensions import get_database, json_body
from lab.contract import errors, orders

Id = Annotated[int, Field(strict=True, ge=1, le=orders.MAX_ID)]
Quantity = Annotated[int, Field(strict=True, ge=1, le=orders.MAX_QUANTITY)]


class Given(BaseModel):
    """What a client sends: unknown members are an error."""

    model_config = ConfigDict(extra="forbid")


class OrderLine(Given):
    item_id: Id
    quantity: Quantity


class NewOrder(Given):
    customer_id: Id
    lines: Annotated[list[OrderLine], Field(min_length=1, max_length=orders.MAX_LINES)]
    note: Annotated[str, Field(max_length=orders.MAX_NOTE, pattern=r"^[^\x00]*$")] = ""


def create_app(model: str) -> Flask:
    """The Flask application with its one large body checked by models."""
    flask = app.create_app(model)
    flask.view_functions["orders.create_order"] = create_order
    return flask


def create_order() -> ResponseReturnValue:
    try:
        order = NewOrder.model_validate(json_body())
    except ValidationError as error:
        fields = ((_field(each["loc"]), each["msg"]) for each in error.errors())
        raise errors.invalid(*fields) from None
    return get_database().order(order), 201


def _field(location: tuple[str | int, ...]) -> str:
    """("lines", 3, "quantity") -> lines.3.quantity; the body as a whole has no location."""
    return ".".join(map(str, location)) if location else "body"
