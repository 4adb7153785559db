"""`/wait`, `/fanout` and `/stream`: requests that wait, for Postgres or for the next event."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from flask_services.extensions import get_database, query, run_all
from lab.contract import streams, validation
from lab.postgres import queries

blueprint = Blueprint("waits", __name__)


@blueprint.get("/wait")
def wait() -> ResponseReturnValue:
    (ms,) = validation.numbers(query(), validation.WAIT_MS)
    get_database().row(queries.WAIT, ms)
    return {"ms": ms}


@blueprint.get("/fanout")
def fanout() -> ResponseReturnValue:
    n, ms = validation.numbers(query(), validation.FANOUT_N, validation.FANOUT_MS)
    run_all(partial(get_database().row, queries.WAIT, ms), n)
    return {"n": n, "ms": ms}


@blueprint.get("/stream")
def stream() -> ResponseReturnValue:
    n, ms = validation.numbers(query(), validation.STREAM_N, validation.STREAM_MS)
    events = streams.threaded(n, ms, streams.client(request.environ))
    return Response(events, mimetype=streams.MEDIA_TYPE)
