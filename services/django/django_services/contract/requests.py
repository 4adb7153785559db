"""Reading requests, and the base of every view."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.views import View

from lab import internals
from lab.contract import bodies, errors

internals.check(__name__)


class ContractView(View):  # type: ignore[misc]
    """Django's class-based view, whose 405 is the contract's."""

    http_method_names = ("get", "head", "post", "delete")

    def http_method_not_allowed(self, *_arguments: Any, **_names: Any) -> Any:
        raise errors.method_not_allowed(self._allowed_methods())


def query(request: HttpRequest) -> dict[str, str]:
    """The query parameters, the last of equal names."""
    return dict(request.GET.items())


def json_body(request: HttpRequest) -> Any:
    """The request's JSON value; raises a Fault 415, 413 or 400, checked in that order."""
    # Django takes a chunked body under WSGI for an empty one; gunicorn's stream ends where it does.
    stream = request.META.get("wsgi.input", request)
    return bodies.parse(bodies.read(stream, request.META))
