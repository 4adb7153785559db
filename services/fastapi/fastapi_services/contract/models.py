"""The contract's documents: what is received is a Pydantic model, what is sent a typed dict.

A typed dict is validated, documented and serialised as a model is, without an object made for it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from lab.contract import orders

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


class Login(Given):
    username: Annotated[
        str, Field(min_length=1, max_length=orders.MAX_USERNAME, pattern=r"^[^\x00]+$")
    ]


class Message(TypedDict):
    message: str


class Item(TypedDict):
    id: int
    name: str
    description: str
    price_cents: int
    stock: int


class ItemPage(TypedDict):
    items: list[Item]
    limit: int
    offset: int


class Order(TypedDict):
    id: int
    total_cents: int


class Waited(TypedDict):
    ms: int


class FannedOut(TypedDict):
    n: int
    ms: int


class Event(TypedDict):
    event: int


class Computed(TypedDict):
    n: int
    result: int


class User(TypedDict):
    username: str


class Status(TypedDict):
    status: Literal["ok", "ready"]


class About(TypedDict):
    """What the service says it is; `slots` are the requests that can wait in Postgres at once."""

    service: str
    framework: str
    server: str
    model: str
    versions: dict[str, str]
    workers: int
    threads: int
    pool_size: int
    slots: int
    slots_bound_by: str
    fanout: Literal["at once", "in turn"]
    websocket: bool


class FieldError(TypedDict):
    field: str
    message: str


class ErrorDetail(TypedDict):
    code: str
    message: str
    fields: list[FieldError]


class Error(TypedDict):
    """Every error of every route."""

    error: ErrorDetail
