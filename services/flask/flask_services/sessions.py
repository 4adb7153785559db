"""`/session` and `/me`: Flask's own signed session."""

from __future__ import annotations

from flask import Blueprint, session
from flask.typing import ResponseReturnValue

from flask_services.extensions import json_body
from lab.contract import errors, orders

blueprint = Blueprint("sessions", __name__)


@blueprint.post("/session")
def log_in() -> ResponseReturnValue:
    session["username"] = orders.username(json_body())
    return {"username": session["username"]}, 201


@blueprint.get("/me")
def me() -> ResponseReturnValue:
    if "username" not in session:
        raise errors.unauthorized()
    return {"username": session["username"]}


@blueprint.delete("/session")
def log_out() -> ResponseReturnValue:
    session.clear()
    return "", 204
