"""Requests and responses under the contract's rules."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from lab.contract import bodies, errors, routes
from lab.contract.errors import Fault


class JSON(Response):
    """A document as JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


async def body(request: Request) -> Any:
    """Read and parse a JSON body; raises a Fault 415, 413, 400 or 422."""
    try:
        raw = await bodies.gathered(request.stream(), request.headers)
    except ClientDisconnect:
        raise bodies.cut_short() from None
    return bodies.parse(raw)


def answer(fault: Fault) -> Response:
    """What a fault is answered with."""
    return JSON(fault.document(), fault.status, dict(fault.headers))


async def on_fault(_: Request, fault: Exception) -> Response:
    """A fault of the service's own."""
    assert isinstance(fault, Fault)
    return answer(fault)


async def on_http(request: Request, error: Exception) -> Response:
    """Starlette's own 404 and 405."""
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return answer(errors.not_found())
    # The router names only the methods of the first route that fits the path.
    methods = routes.METHODS[routes.route(request.url.path)]
    return answer(errors.method_not_allowed(methods))


async def on_defect(_request: Request, _error: Exception) -> Response:
    """A defect of the service."""
    return answer(errors.internal())
