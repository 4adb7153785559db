"""Requests and responses under the contract's rules."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from lab import settings
from lab.contract import bodies, errors, routes
from lab.contract.errors import Fault
from lab.metrics.counting import STATUS, Receive, Scope, Send


class Noted(Response):
    """An answer that notes its status in the scope, where counting finds it.

    To watch all that is sent for the status would cost a fast answer more; so would a call of
    `Response.__call__`, which is written out here.
    """

    if settings.load().metrics:

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
            scope[STATUS] = status = self.status_code
            prefix = "websocket." if scope["type"] == "websocket" else ""
            start = prefix + "http.response.start"
            await send({"type": start, "status": status, "headers": self.raw_headers})
            await send({"type": prefix + "http.response.body", "body": self.body})
            if self.background is not None:
                await self.background()


class Text(Noted):
    """Plain text."""

    media_type = "text/plain"


class JSON(Noted):
    """A document as JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


async def body(request: Request) -> Any:
    """Read and parse a JSON body; raises a Fault 415, 413, 400 or 422."""
    bodies.check_head(request.headers.get("content-type"), request.headers.get("content-length"))
    raw = bytearray()
    try:
        async with asyncio.timeout(bodies.WAIT_S):
            async for chunk in request.stream():
                raw += chunk
                bodies.check_size(len(raw))
    except ClientDisconnect:
        raise bodies.cut_short() from None
    except TimeoutError:
        raise bodies.late() from None
    return bodies.parse(bytes(raw))


def answer(fault: Fault) -> Response:
    """What a fault is answered with."""
    return JSON(fault.document(), fault.status, dict(fault.headers))


async def on_fault(_: Request, fault: Exception) -> Response:
    """A fault of the row's own."""
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
    """A defect of the row."""
    return answer(errors.internal())
