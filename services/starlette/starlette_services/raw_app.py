"""asgi-raw: `/plaintext` and `/json` by hand on the ASGI interface, all else Starlette's."""

from __future__ import annotations

import orjson

from lab.metrics.counting import Receive, Scope, Send
from starlette_services.app import METRICS, create

TEXT, JSON = b"text/plain; charset=utf-8", b"application/json"
STARLETTE = create()


async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    """The floor under every ASGI framework: no routing, no request or response object."""
    path = scope["path"] if scope["type"] == "http" and scope["method"] == "GET" else ""
    if path == "/plaintext":
        body, media_type = b"Hello, World!", TEXT
    elif path == "/json":
        body, media_type = orjson.dumps({"message": "Hello, World!"}), JSON
    else:
        await STARLETTE(scope, receive, send)
        return
    headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


app = METRICS.asgi(raw)
