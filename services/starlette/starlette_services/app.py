"""starlette: the same event loop and the same driver as fastapi-async, every check by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from lab import about, internals, settings
from lab.contract import errors, orders, sessions, streams, validation, work
from lab.contract.errors import Fault
from lab.contract.validation import (
    CPU_N,
    FANOUT_MS,
    FANOUT_N,
    ITEM_ID,
    LIMIT,
    OFFSET,
    STREAM_MS,
    STREAM_N,
    WAIT_MS,
)
from lab.metrics import meters
from lab.postgres import queries
from lab.postgres.evented import Evented
from starlette_services.requests import (
    JSON,
    body,
    on_defect,
    on_fault,
    on_http,
)

internals.check(__name__)

SETTINGS = settings.load()
METRICS = meters.create(SETTINGS)
DATABASE = Evented(SETTINGS, METRICS)
SESSIONS = sessions.Sessions(SETTINGS)
ABOUT = about.describe(
    SETTINGS,
    framework="Starlette",
    server="uvicorn",
    model="async",
    packages=("starlette", "uvicorn", "asyncpg"),
    fanout="at once",
    websocket=True,
)
METRICS.declare(ABOUT)


async def plaintext(_: Request) -> Response:
    return PlainTextResponse("Hello, World!")


async def message(_: Request) -> Response:
    return JSON({"message": "Hello, World!"})


async def list_items(request: Request) -> Response:
    limit, offset = validation.numbers(request.query_params, LIMIT, OFFSET)
    items = await DATABASE.rows(queries.ITEMS, limit, offset)
    return JSON({"items": items, "limit": limit, "offset": offset})


async def get_item(request: Request) -> Response:
    number = validation.number(request.path_params["id"], ITEM_ID)
    item = await DATABASE.row(queries.ITEM, number)
    if item is None:
        raise errors.not_found(f"no item {number}")
    return JSON(item)


async def create_order(request: Request) -> Response:
    order = orders.new_order(await body(request))
    return JSON(await DATABASE.order(order), 201)


async def wait(request: Request) -> Response:
    (ms,) = validation.numbers(request.query_params, WAIT_MS)
    await DATABASE.row(queries.WAIT, ms)
    return JSON({"ms": ms})


async def fanout(request: Request) -> Response:
    n, ms = validation.numbers(request.query_params, FANOUT_N, FANOUT_MS)
    await asyncio.gather(*(DATABASE.row(queries.WAIT, ms) for _ in range(n)))
    return JSON({"n": n, "ms": ms})


async def stream(request: Request) -> Response:
    n, ms = validation.numbers(request.query_params, STREAM_N, STREAM_MS)
    return StreamingResponse(streams.evented(n, ms), media_type=streams.MEDIA_TYPE)


async def cpu(request: Request) -> Response:
    (n,) = validation.numbers(request.query_params, CPU_N)
    return JSON({"n": n, "result": work.compute(n)})


async def log_in(request: Request) -> Response:
    username = orders.username(await body(request))
    response = JSON({"username": username}, 201)
    response.set_cookie(
        sessions.COOKIE,
        SESSIONS.sign(username),
        max_age=sessions.MAX_AGE_S,
        httponly=True,
        samesite="lax",
    )
    return response


async def log_out(_: Request) -> Response:
    response = Response(status_code=204)
    response.delete_cookie(sessions.COOKIE, httponly=True, samesite="lax")
    return response


async def me(request: Request) -> Response:
    return JSON({"username": SESSIONS.username(request.cookies.get(sessions.COOKIE))})


async def describe(_: Request) -> Response:
    return JSON(ABOUT.document())


async def alive(_: Request) -> Response:
    return JSON({"status": "ok"})


async def ready(_: Request) -> Response:
    await DATABASE.ready()
    return JSON({"status": "ready"})


async def echo(socket: WebSocket) -> None:
    """Send each message back as it came, until the client goes."""
    await socket.accept()
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        try:
            if text is not None:
                await socket.send_text(text)
            else:
                await socket.send_bytes(message["bytes"])
        except WebSocketDisconnect:
            return


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Open the pool while the application lives."""
    async with DATABASE:
        yield


ROUTES = [
    Route("/plaintext", plaintext),
    Route("/json", message),
    Route("/items", list_items),
    Route("/items/{id}", get_item),
    Route("/orders", create_order, methods=["POST"]),
    Route("/wait", wait),
    Route("/fanout", fanout),
    Route("/stream", stream),
    Route("/cpu", cpu),
    Route("/session", log_in, methods=["POST"]),
    Route("/session", log_out, methods=["DELETE"]),
    Route("/me", me),
    Route("/about", describe),
    Route("/healthz", alive),
    Route("/readyz", ready),
    WebSocketRoute("/ws", echo),
]


def create() -> Starlette:
    """The application with the contract's errors; whoever serves it adds the counting."""
    application = Starlette(
        routes=ROUTES,
        exception_handlers={Fault: on_fault, HTTPException: on_http, Exception: on_defect},
        lifespan=lifespan,
    )
    application.router.redirect_slashes = False
    return application


app = create()
app.add_middleware(METRICS.asgi)
