"""Every error in the contract's shape, whoever raises it."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from fastapi_services.contract import models
from lab.contract import errors, routes
from lab.contract.errors import Fault


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What /docs tells about the errors of a route."""
    return {status: {"model": models.Error} for status in statuses}


CHECKED = documented(422)
READING = documented(422, 503)
WRITING = documented(400, 413, 415, 422, 503)


def add_handlers(app: FastAPI) -> None:
    """Handle our own faults, FastAPI's and Starlette's; a defect is 500 in the same shape."""
    app.add_exception_handler(Fault, _fault)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _defect)


async def _fault(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Fault)
    return _response(fault)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = ((_field(problem["loc"]), str(problem["msg"])) for problem in error.errors())
    return _response(errors.invalid(*fields))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        # The router names only the methods of the first route that fits the path.
        return _response(errors.method_not_allowed(_methods(request.url.path, error)))
    return _response(errors.not_found())


async def _defect(_: Request, __: Exception) -> Response:
    return _response(errors.internal())


def _methods(path: str, error: HTTPException) -> tuple[str, ...]:
    named = (error.headers or {}).get("Allow", "GET")
    return routes.METHODS.get(routes.route(path), tuple(named.split(", ")))


def _field(location: tuple[str | int, ...]) -> str:
    """("body", "lines", 3, "quantity") -> lines.3.quantity; ("query", "limit") -> limit."""
    return ".".join(map(str, location[1:])) if location[1:] else "body"


def _response(fault: Fault) -> Response:
    body = orjson.dumps(fault.document())
    return Response(body, fault.status, dict(fault.headers), media_type="application/json")
