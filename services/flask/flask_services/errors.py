"""Every error as the contract shapes it."""

from __future__ import annotations

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
)

from lab.contract import bodies, errors


def register(app: Flask) -> None:
    """Answer the lab's faults and Werkzeug's exceptions with one JSON shape."""
    app.register_error_handler(errors.Fault, handle_fault)
    app.register_error_handler(HTTPException, handle_http_exception)


def handle_fault(fault: errors.Fault) -> ResponseReturnValue:
    """The response that a fault stands for."""
    bodies.drain(request.environ)
    return fault.document(), fault.status, dict(fault.headers)


def handle_http_exception(exception: HTTPException) -> ResponseReturnValue:
    """The same for what Flask raises; a defect of the service comes as InternalServerError."""
    return handle_fault(_fault(exception))


def _fault(exception: HTTPException) -> errors.Fault:
    match exception:
        case MethodNotAllowed():
            return errors.method_not_allowed(exception.valid_methods or ())
        case NotFound():
            return errors.not_found()
        case InternalServerError():
            return errors.internal()
    return errors.Fault(exception.code or 400, "malformed", exception.name)
