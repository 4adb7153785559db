"""A request that a user describes, and the check of its answers."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from itertools import repeat
from urllib.parse import SplitResult, urlsplit

from loadtest.engine.http1.passing import PassingParser
from loadtest.engine.http1.responses import Response
from loadtest.engine.http_request import HttpDialogue
from loadtest.engine.request import Check, Request, Traffic
from loadtest.model.target import Target
from loadtest.system.urls import host_field

_OF_A_BODY = frozenset({"POST", "PUT", "PATCH"})  # a length is due even where it is 0
_USER_AGENT = "concurrency-lab"


def own_traffic(target: Target) -> Traffic:
    """The same request again and again, on every connection."""
    request = own_request(target)
    return lambda: repeat(request)


def own_request(target: Target) -> Request:
    """The request; of its answers' bodies only as much is kept as the check needs."""
    parts = urlsplit(target.url)
    return Request(
        method=target.method,
        path=parts.path or "/",
        data=_head(target, parts) + target.body.encode(),
        check=_check(target),
        dialogue=_dialogue(target),
    )


def begin_answer(response: http.client.HTTPResponse, within_s: float) -> None:
    """Read the head of an answer; those that only announce it (102, 103) are passed over.

    Raises TimeoutError where they alone come.
    """
    ends = time.monotonic() + within_s
    response.begin()
    while 100 <= response.status < 200 and response.status != 101:
        if time.monotonic() > ends:
            raise TimeoutError
        response.headers = None  # type: ignore[assignment]  # else it would not begin once more
        response.begin()


def _head(target: Target, parts: SplitResult) -> bytes:
    """Request line and headers; what the user gives goes before what would be sent else."""
    query = f"?{parts.query}" if parts.query else ""
    given = {name.lower() for name in target.headers}
    fields = {"Host": host_field(parts), "Accept": "*/*", "User-Agent": _USER_AGENT}
    fields |= _of_body(target)
    lines = [f"{target.method} {parts.path or '/'}{query} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items() if name.lower() not in given]
    lines += [f"{name}: {value}" for name, value in target.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _of_body(target: Target) -> Mapping[str, str]:
    """A body that is JSON is called so."""
    fields: dict[str, str] = {}
    if target.body or target.method in _OF_A_BODY:
        fields["Content-Length"] = str(len(target.body.encode()))
    try:
        json.loads(target.body)
        fields["Content-Type"] = "application/json"
    except ValueError:
        pass
    return fields


def _dialogue(target: Target) -> Callable[[], HttpDialogue]:
    # A byte more than expected shows a body that is too long.
    keep = 0 if target.content is None else len(target.content.encode()) + 1
    return lambda: HttpDialogue(PassingParser(keep=keep, bodiless=target.method == "HEAD"))


def _check(target: Target) -> Check:
    """Whether an answer is the one that is expected: "status 503", "wrong body", or empty."""
    content = None if target.content is None else target.content.encode()

    def check(response: Response) -> str:
        status = response.head.status
        right = status == target.status if target.status else 200 <= status < 300
        if not right:
            return f"status {status}"
        return "" if content is None or response.body == content else "wrong body"

    return check
