"""`/plaintext`, `/json` and `/cpu`: nothing but server, routing and Python."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from flask_services.extensions import query
from lab.contract import validation, work

blueprint = Blueprint("basics", __name__)


@blueprint.get("/plaintext")
def plaintext() -> ResponseReturnValue:
    return Response("Hello, World!", mimetype="text/plain")


@blueprint.get("/json")
def json() -> ResponseReturnValue:
    return {"message": "Hello, World!"}


@blueprint.get("/cpu")
def cpu() -> ResponseReturnValue:
    (n,) = validation.numbers(query(), validation.CPU_N)
    return {"n": n, "result": work.compute(n)}
