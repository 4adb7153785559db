"""A request that the user describes, and the check of its answers."""

from __future__ import annotations

from itertools import repeat
from urllib.parse import urlsplit

from loadtest.engine.http1.responses import Response
from loadtest.engine.http_request import HttpDialogue
from loadtest.engine.request import Check, Request, Traffic
from loadtest.model.target import Target


def own_traffic(target: Target) -> Traffic:
    """The same request again and again, on every connection."""
    parts = urlsplit(target.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{target.method} {path} HTTP/1.1", f"Host: {parts.netloc}", "Accept: */*"]
    lines += [f"{name}: {value}" for name, value in target.headers.items()]
    content = target.body.encode()
    if content:
        lines.append(f"Content-Length: {len(content)}")
    data = "\r\n".join([*lines, "", ""]).encode("latin-1") + content
    request = Request(target.method, parts.path or "/", data, check_of(target), HttpDialogue)
    return lambda: repeat(request)


def check_of(target: Target) -> Check:
    """Whether an answer is the one that is expected: "status 503", "wrong body", or empty."""
    content = None if target.content is None else target.content.encode()

    def check(response: Response) -> str:
        status = response.head.status
        if status != target.status if target.status is not None else not 200 <= status < 300:
            return f"status {status}"
        return "" if content is None or response.body == content else "wrong body"

    return check
