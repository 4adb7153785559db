"""Reading requests, and the base of every view."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.views import View

from lab import bodies, errors


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
    head = request.META
    bodies.check_head(head.get("CONTENT_TYPE"), head.get("CONTENT_LENGTH"))
    # Under WSGI Django takes a chunked body for an empty one; the server marks where it ends.
    chunked = "CONTENT_LENGTH" not in head and head.get("wsgi.input_terminated")
    stream = head["wsgi.input"] if chunked else request
    raw = stream.read(bodies.LIMIT_BYTES + 1)
    bodies.check_size(len(raw))
    return bodies.parse(raw)
