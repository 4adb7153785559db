"""Every endpoint but /cpu, awaiting asyncpg: a request that waits is a paused task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Response
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse

from fastapi_services import application, servers, sockets
from fastapi_services.contract import faults, identity, models
from fastapi_services.contract.parameters import (
    FanoutMs,
    FanoutN,
    ItemId,
    Limit,
    Offset,
    StreamMs,
    StreamN,
    WaitMs,
)
from lab import about, settings
from lab.contract import errors
from lab.contract.sessions import Sessions
from lab.metrics import meters
from lab.postgres import queries
from lab.postgres.evented import Evented

SETTINGS = settings.load()
METRICS = meters.create(SETTINGS)
DATABASE = Evented(SETTINGS, METRICS)
SESSIONS = Sessions(SETTINGS)
SERVER = servers.running()
ABOUT = about.describe(
    SETTINGS,
    framework="FastAPI",
    server=SERVER,
    model="async",
    packages=("fastapi", "starlette", "pydantic", *servers.packages(SERVER), "asyncpg"),
    fanout="at once",
    websocket=True,
)
METRICS.declare(ABOUT)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Open the pool while the application lives."""
    async with DATABASE:
        yield


app = application.create(METRICS, lifespan)


@app.get("/plaintext", response_class=PlainTextResponse)
async def plaintext() -> str:
    return "Hello, World!"


@app.get("/json")
async def message() -> models.Message:
    return models.Message(message="Hello, World!")


@app.get("/about", response_model=models.About)
async def describe() -> dict[str, Any]:
    return ABOUT.document()


@app.get("/healthz")
async def alive() -> models.Status:
    return models.Status(status="ok")


@app.get("/readyz", responses=faults.documented(503))
async def ready() -> models.Status:
    await DATABASE.ready()
    return models.Status(status="ready")


@app.get("/items", response_model=models.ItemPage, responses=faults.READING)
async def list_items(limit: Limit = 20, offset: Offset = 0) -> dict[str, Any]:
    items = await DATABASE.rows(queries.ITEMS, limit, offset)
    return {"items": items, "limit": limit, "offset": offset}


@app.get("/items/{id}", response_model=models.Item, responses=faults.documented(404, 422, 503))
async def get_item(number: ItemId) -> dict[str, Any]:
    item = await DATABASE.row(queries.ITEM, number)
    if item is None:
        raise errors.not_found(f"no item {number}")
    return item


@app.post("/orders", status_code=201, response_model=models.Order, responses=faults.WRITING)
async def create_order(order: models.NewOrder) -> dict[str, Any]:
    return await DATABASE.order(order)


@app.get("/wait", responses=faults.READING)
async def wait(ms: WaitMs = 100) -> models.Waited:
    await DATABASE.row(queries.WAIT, ms)
    return models.Waited(ms=ms)


@app.get("/fanout", responses=faults.READING)
async def fanout(n: FanoutN = 5, ms: FanoutMs = 50) -> models.FannedOut:
    await asyncio.gather(*(DATABASE.row(queries.WAIT, ms) for _ in range(n)))
    return models.FannedOut(n=n, ms=ms)


@app.get("/stream", response_class=EventSourceResponse, responses=faults.CHECKED)
async def stream(n: StreamN = 10, ms: StreamMs = 100) -> AsyncIterator[models.Event]:
    for number in range(n):
        if number:
            await asyncio.sleep(ms / 1000)
        yield models.Event(event=number)


async def current_user(cookie: identity.Cookie) -> models.User:
    return models.User(username=SESSIONS.username(cookie))


@app.post("/session", status_code=201, responses=faults.documented(400, 413, 415, 422))
async def log_in(login: models.Login, response: Response) -> models.User:
    identity.log_in(SESSIONS, login.username, response)
    return models.User(username=login.username)


@app.delete("/session", status_code=204)
async def log_out(response: Response) -> None:
    identity.log_out(response)


@app.get("/me", responses=faults.documented(401))
async def me(user: Annotated[models.User, Depends(current_user)]) -> models.User:
    return user


app.add_api_websocket_route("/ws", sockets.echo)
