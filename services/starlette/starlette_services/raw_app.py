"""asgi-raw: `/plaintext` and `/json` by hand on the ASGI interface, all else Starlette's."""

from __future__ import annotations

import orjson

from lab.metrics.counting import Receive, Scope, Send
from starlette_services.app import METRICS
from starlette_services.app import app as starlette_app

TEXT, JSON = b"text/plain; charset=utf-8", b"application/json"
TEXT_ANSWER = METRICS.answer("GET", "/plaintext", 200)
JSON_ANSWER = METRICS.answer("GET", "/json", 200)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The floor under every ASGI framework: no routing, no request or response object.

    Its counting is by hand as well: it knows its status without looking at what it sends.
    """
    path = scope["path"] if scope["type"] == "http" and scope["method"] == "GET" else ""
    if path == "/plaintext":
        answer = TEXT_ANSWER
        since = answer.begin()
        body, media_type = b"Hello, World!", TEXT
    elif path == "/json":
        answer = JSON_ANSWER
        since = answer.begin()
        body, media_type = orjson.dumps({"message": "Hello, World!"}), JSON
    else:
        await starlette_app(scope, receive, send)
        return
    headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(body))]
    try:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
    finally:
        answer.end(since)
