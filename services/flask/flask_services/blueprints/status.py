"""`/about`, `/healthz` and `/readyz`."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from flask_services.extensions import get_about, get_database

blueprint = Blueprint("status", __name__)


@blueprint.get("/about")
def about() -> ResponseReturnValue:
    return get_about().document()


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    get_database().ready()
    return {"status": "ready"}
