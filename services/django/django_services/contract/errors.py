"""Every error as the contract shapes it."""

from __future__ import annotations

from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse

from lab.contract import bodies, errors


class FaultMiddleware:
    """Turns a view's exceptions into responses, in both of Django's modes."""

    async_capable = True
    sync_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The response to `exception`; None leaves it to Django's handler of unforeseen ones."""
        if isinstance(exception, errors.Fault):
            return respond(request, exception)
        if isinstance(exception, OperationalError | InterfaceError):
            return respond(request, errors.unavailable())
        return None


def respond(request: HttpRequest, fault: errors.Fault) -> HttpResponse:
    """The response that a fault stands for."""
    if "wsgi.input" in request.META:
        bodies.drain(request.META)
    return JsonResponse(fault.document(), status=fault.status, headers=fault.headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Django's `handler400`."""
    return respond(request, errors.Fault(400, "malformed", "not a request that can be answered"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Django's `handler404`."""
    return respond(request, errors.not_found())


def internal(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`."""
    return respond(request, errors.internal())
