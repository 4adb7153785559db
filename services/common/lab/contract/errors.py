"""The contract's error shape and the faults that lead to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_FIELDS = 100
"""How many wrong things an answer names at most."""


@dataclass
class Fault(Exception):
    """A request that ends in an error response.

    `fields` pairs each thing that is wrong with a message: a parameter's name or the dotted path
    in the body. `headers` go out with the response.
    """

    status: int
    code: str
    message: str
    fields: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The body of the response, ready for JSON."""
        named = [{"field": name, "message": message} for name, message in self.fields]
        return {"error": {"code": self.code, "message": self.message, "fields": named}}


def malformed(reason: str = "the body is not JSON") -> Fault:
    """400: the body cannot be parsed."""
    return Fault(400, "malformed", reason, (("body", reason),))


def unauthorized() -> Fault:
    """401: no valid session cookie."""
    return Fault(401, "unauthorized", "log in first: POST /session")


def not_found(what: str = "no such route") -> Fault:
    """404: no such route, no such thing."""
    return Fault(404, "not_found", what)


def method_not_allowed(allow: Iterable[str]) -> Fault:
    """405, with the methods that the route has."""
    methods = ", ".join(sorted(allow))
    return Fault(405, "method_not_allowed", f"use {methods}", headers={"Allow": methods})


def too_large(limit: int) -> Fault:
    """413: the body is over `limit` bytes."""
    message = f"the body is over {limit} bytes"
    return Fault(413, "too_large", message, (("body", message),))


def unsupported_media_type() -> Fault:
    """415: the body is not declared as JSON."""
    message = "send the body as application/json"
    return Fault(415, "unsupported_media_type", message, (("body", message),))


def invalid(*fields: tuple[str, str]) -> Fault:
    """422: each pair names a field and says what it should be; MOST_FIELDS are told."""
    return Fault(422, "invalid", "the request does not fit the contract", fields[:MOST_FIELDS])


def unavailable(reason: str = "Postgres is out of reach") -> Fault:
    """503: no database, or no pooled connection in time."""
    return Fault(503, "unavailable", reason)


def internal() -> Fault:
    """500: a defect of the service."""
    return Fault(500, "internal", "the service failed; its log says why")
