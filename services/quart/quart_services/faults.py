"""Every error as the contract shapes it."""

from __future__ import annotations

from quart import Quart
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, NotFound
from werkzeug.routing import WebsocketMismatch

from lab.contract import errors


def register(app: Quart) -> None:
    """Answer the lab's faults and Werkzeug's exceptions with one JSON shape."""
    app.register_error_handler(errors.Fault, handle_fault)
    app.register_error_handler(HTTPException, handle_http_exception)


async def handle_fault(fault: errors.Fault) -> ResponseReturnValue:
    """The response that a fault stands for."""
    return fault.document(), fault.status, dict(fault.headers)


async def handle_http_exception(exception: HTTPException) -> ResponseReturnValue:
    """The same for what Quart raises; a defect of the service comes as InternalServerError."""
    return await handle_fault(_fault(exception))


def _fault(exception: HTTPException) -> errors.Fault:
    match exception:
        case MethodNotAllowed():
            return errors.method_not_allowed(exception.valid_methods or ())
        case NotFound() | WebsocketMismatch():
            return errors.not_found()
        case InternalServerError():
            return errors.internal()
    return errors.Fault(exception.code or 400, "malformed", exception.name)
