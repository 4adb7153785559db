"""quart: the views of flask-gthread behind `async` and `await`, the event loop of fastapi-async."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping
from typing import cast

from itsdangerous import URLSafeTimedSerializer
from quart import Quart, Response, request, session
from quart.sessions import SecureCookieSessionInterface
from quart.typing import ResponseReturnValue

from lab import about, settings
from lab.contract import bodies, errors, orders, streams, validation, work
from lab.contract.sessions import Signer
from lab.metrics import meters
from lab.postgres import queries
from lab.postgres.evented import Evented
from quart_services import faults, sockets

SETTINGS = settings.load()
METRICS = meters.create(SETTINGS)
DATABASE = Evented(SETTINGS, METRICS)
ABOUT = about.describe(
    SETTINGS,
    framework="Quart",
    server="uvicorn",
    model="async",
    packages=("quart", "uvicorn", "asyncpg"),
    fanout="at once",
    websocket=True,
)
METRICS.declare(ABOUT)


class Sessions(SecureCookieSessionInterface):
    """Quart's, with the lab's signer."""

    def get_signing_serializer(self, app: Quart) -> URLSafeTimedSerializer | None:
        """The serializer that signs and reads the cookie."""
        serializer = super().get_signing_serializer(app)
        if serializer is not None:
            serializer.signer = Signer
        return serializer


app = Quart(__name__, static_folder=None)
app.config.from_mapping(
    SECRET_KEY=SETTINGS.session_secret or secrets.token_hex(32),
    SESSION_COOKIE_SAMESITE="Lax",
    PROVIDE_AUTOMATIC_OPTIONS=False,
)
app.session_interface = Sessions()
app.url_map.merge_slashes = False
app.asgi_websocket_class = sockets.Connection
faults.register(app)


@app.while_serving
async def pooled() -> AsyncGenerator[None, None]:
    """Open the pool while the application lives."""
    async with DATABASE:
        yield


def query() -> dict[str, str]:
    """The query parameters, the last of equal names."""
    return {name: values[-1] for name, values in request.args.lists()}


async def json_body() -> object:
    """The request's JSON value; raises a Fault 415, 413 or 400, checked in that order."""
    head = cast(Mapping[str, str], request.headers)  # whose names may be in any case
    return bodies.parse(await bodies.gathered(request.body, head))


@app.get("/plaintext")
async def plaintext() -> ResponseReturnValue:
    return Response("Hello, World!", mimetype="text/plain")


@app.get("/json")
async def message() -> ResponseReturnValue:
    return {"message": "Hello, World!"}


@app.get("/items")
async def list_items() -> ResponseReturnValue:
    limit, offset = validation.numbers(query(), validation.LIMIT, validation.OFFSET)
    items = await DATABASE.rows(queries.ITEMS, limit, offset)
    return {"items": items, "limit": limit, "offset": offset}


@app.get("/items/<item_id>")
async def get_item(item_id: str) -> ResponseReturnValue:
    item = await DATABASE.row(queries.ITEM, validation.number(item_id, validation.ITEM_ID))
    if item is None:
        raise errors.not_found("no such item")
    return item


@app.post("/orders")
async def create_order() -> ResponseReturnValue:
    return await DATABASE.order(orders.new_order(await json_body())), 201


@app.get("/wait")
async def wait() -> ResponseReturnValue:
    (ms,) = validation.numbers(query(), validation.WAIT_MS)
    await DATABASE.row(queries.WAIT, ms)
    return {"ms": ms}


@app.get("/fanout")
async def fanout() -> ResponseReturnValue:
    n, ms = validation.numbers(query(), validation.FANOUT_N, validation.FANOUT_MS)
    await asyncio.gather(*(DATABASE.row(queries.WAIT, ms) for _ in range(n)))
    return {"n": n, "ms": ms}


@app.get("/stream")
async def stream() -> ResponseReturnValue:
    n, ms = validation.numbers(query(), validation.STREAM_N, validation.STREAM_MS)
    response = Response(streams.evented(n, ms), mimetype=streams.MEDIA_TYPE)
    response.timeout = None  # else Quart ends it after 60 s
    return response


@app.get("/cpu")
async def cpu() -> ResponseReturnValue:
    (n,) = validation.numbers(query(), validation.CPU_N)
    return {"n": n, "result": work.compute(n)}


@app.post("/session")
async def log_in() -> ResponseReturnValue:
    session["username"] = orders.username(await json_body())
    return {"username": session["username"]}, 201


@app.get("/me")
async def me() -> ResponseReturnValue:
    if "username" not in session:
        raise errors.unauthorized()
    return {"username": session["username"]}


@app.delete("/session")
async def log_out() -> ResponseReturnValue:
    session.clear()
    return "", 204


@app.get("/about")
async def describe() -> ResponseReturnValue:
    return ABOUT.document()


@app.get("/healthz")
async def alive() -> ResponseReturnValue:
    return {"status": "ok"}


@app.get("/readyz")
async def ready() -> ResponseReturnValue:
    await DATABASE.ready()
    return {"status": "ready"}


app.add_websocket("/ws", view_func=sockets.echo)
app.asgi_app = METRICS.asgi(app.asgi_app)  # type: ignore[assignment,method-assign,arg-type]
