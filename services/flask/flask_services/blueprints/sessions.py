"""`/session` and `/me`: Flask's own signed session, whose signature has one spelling."""

from __future__ import annotations

from flask import Blueprint, Flask, session
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from itsdangerous import URLSafeTimedSerializer

from flask_services.extensions import json_body
from lab.contract import errors, orders
from lab.contract.sessions import Signer

blueprint = Blueprint("sessions", __name__)


class Interface(SecureCookieSessionInterface):
    """Flask's, with the lab's signer."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The serializer that signs and reads the cookie."""
        serializer = super().get_signing_serializer(app)
        if serializer is not None:
            serializer.signer = Signer
        return serializer


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
