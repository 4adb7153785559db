"""A request of the user's own: as LAB_REQUEST says it, or the form of Locust's page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from loadtest.engine.own_request import own_traffic
from loadtest.engine.request import Traffic
from loadtest.errors import LabError
from loadtest.model.target import Target

REQUEST_VARIABLE = "LAB_REQUEST"
FIELDS = {
    "method": "GET",
    "path": "/",
    "headers": "",
    "body": "",
    "status": "",
}
"""The fields of the form, and what stands in them at first."""

_PLACE = "http://localhost"  # until it is known which service is asked
_METHOD = re.compile(r"[A-Z][A-Z-]{0,19}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OURS = frozenset({"content-length", "transfer-encoding", "connection", "expect", "upgrade"})
_PATH_SAFE = "/?:@!$&'()*+,;=%[]-._~"  # of a path with query


class OwnRequestError(LabError):
    """A request that can't be sent; the message names the field and what to write there."""


def from_variables(variables: Mapping[str, str]) -> Target:
    """What LAB_REQUEST asks for, `GET /` where there is none; raises OwnRequestError."""
    text = variables.get(REQUEST_VARIABLE, "")
    if not text.strip():
        return Target(f"{_PLACE}/")
    try:
        given = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise OwnRequestError(f"{REQUEST_VARIABLE} is no JSON: {error}") from None
    except ValueError as error:
        raise OwnRequestError(f"{REQUEST_VARIABLE}: {error}") from None
    if not isinstance(given, dict):
        raise OwnRequestError(f'{REQUEST_VARIABLE} is no JSON object; write {{"path": "/"}}')
    for name in given:
        if name not in _READ:
            raise OwnRequestError(
                f"{REQUEST_VARIABLE}: unknown key {name[:40]!r}; there are: {', '.join(_READ)}"
            )
    return _filled(Target(f"{_PLACE}/"), given, lambda name: f"{REQUEST_VARIABLE}: {name}")


def from_form(fields: Mapping[str, str], before: Target) -> Target:
    """`before` with what the form has in its `FIELDS`; raises OwnRequestError."""
    given = {name: value for name, value in fields.items() if name in FIELDS}
    return _filled(before, given, lambda name: f"Request {name}")


def checked(target: Target) -> Target:
    """The target with its method in capitals and its path in ASCII; raises OwnRequestError."""
    given = _values(target) | {"path": path_of(target)}
    filled = _filled(target, given, lambda name: name)
    return at(filled, target.url)


def as_variable(target: Target) -> str:
    """What to write into LAB_REQUEST for this target's request."""
    return json.dumps(_values(target) | {"path": path_of(target)})


def as_form(target: Target) -> dict[str, str]:
    """What stands in the form for it."""
    return {
        "method": target.method,
        "path": path_of(target),
        "headers": json.dumps(dict(target.headers)) if target.headers else "",
        "body": target.body,
        "status": "" if target.status is None else str(target.status),
    }


def traffic(target: Target) -> Callable[[str, Mapping[str, int], int], Traffic]:
    """This target's request as a scenario makes it, for whatever host."""
    path = path_of(target)
    return lambda host, _, __: own_traffic(replace(target, url=f"//{host}{path}"))


def at(target: Target, base: str) -> Target:
    """The same request to the scheme, host and port of `base`."""
    parts = urlsplit(base)
    return replace(target, url=f"{parts.scheme}://{parts.netloc}{path_of(target)}")


def path_of(target: Target) -> str:
    """Path and query."""
    parts = urlsplit(target.url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _values(target: Target) -> dict[str, Any]:
    """The fields but for the URL."""
    names = ("method", "headers", "body", "status", "content", "insecure")
    found = {name: getattr(target, name) for name in names}
    return found | {"headers": dict(target.headers)}


def _filled(target: Target, given: Mapping[str, Any], label: Callable[[str], str]) -> Target:
    changes: dict[str, Any] = {}
    for name, value in given.items():
        try:
            changes[name] = _READ[name](value)
        except ValueError as error:
            raise OwnRequestError(f"{label(name)}: {error}") from None
    path = changes.pop("path", path_of(target))
    return replace(target, url=_PLACE + path, **changes)


def _method(value: object) -> str:
    text = str(value).strip().upper() or "GET"
    if text == "CONNECT" or not _METHOD.fullmatch(text):
        raise ValueError(f"write GET, POST, PUT, PATCH, DELETE or HEAD, not {_said(value)}")
    return text


def _path(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError(f"write it from its first /, as /search?q=x, not {_said(value)}")
    if _CONTROL.search(value) or " " in value or "#" in value:
        raise ValueError(f"has a blank, a # or worse in it; write %20 or %23: {_said(value)}")
    return quote(value, safe=_PATH_SAFE)


def _headers(value: object) -> dict[str, str]:
    found = _split_headers(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise ValueError('write NAME: VALUE, or several as JSON: {"X-Key": "1"}')
    for name, each in found.items():
        _check_header(name, each)
    return {name: each.strip() for name, each in found.items()}


def _split_headers(text: str) -> object:
    """Lines of `name: value`, or one JSON object."""
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_once)
        except json.JSONDecodeError:
            return None
    lines = [line for line in text.splitlines() if line.strip()]
    pairs = [line.partition(":") for line in lines]
    if not all(colon for _, colon, _ in pairs):
        return None
    return _once([(name.strip(), value) for name, _, value in pairs])


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """What stands behind each name; none of it is left out silently."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{_said(name)} is there twice; write it once")
        found[name] = value
    return found


def _check_header(name: str, value: object) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"{_said(name)} is no name of a header")
    if name.lower() in _OURS:
        raise ValueError(f"{name} is set by the load itself; leave it out")
    if not isinstance(value, str) or _CONTROL.search(value.replace("\t", " ")):
        raise ValueError(f"{name} needs text on one line, not {_said(value)}")
    if not value.isascii() and any(ord(each) > 255 for each in value):
        raise ValueError(f"{name} has a letter that no header can hold: {_said(value)}")


def _body(value: object) -> str:
    """Text as it is; an object of JSON as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text.encode()
    return text


def _status(value: object) -> int | None:
    text = "" if value is None or isinstance(value, bool) else str(value).strip()
    if value is None or value == "":
        return None
    if not re.fullmatch(r"[2-5][0-9]{2}", text, re.ASCII):
        raise ValueError(f"write one from 200 to 599, or none for any success, not {_said(value)}")
    return int(text)


def _content(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"write the whole body that is expected, as text, not {_said(value)}")
    (value or "").encode()
    return value


def _insecure(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"write true or false, not {_said(value)}")
    return value


def _said(value: object) -> str:
    return repr(value)[:60]


_READ: Mapping[str, Callable[[object], Any]] = {
    "method": _method,
    "path": _path,
    "headers": _headers,
    "body": _body,
    "status": _status,
    "content": _content,
    "insecure": _insecure,
}
