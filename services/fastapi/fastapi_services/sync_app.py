"""fastapi-sync: plain `def` endpoints, which FastAPI runs in AnyIO's threads, 40 by default."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI, Response
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse

from fastapi_services import application, sockets
from fastapi_services.contract import faults, identity, models
from fastapi_services.contract.parameters import (
    CpuN,
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
from lab.contract import errors, work
from lab.contract.sessions import Sessions
from lab.metrics import meters
from lab.postgres import queries
from lab.postgres.threaded import Threaded

SETTINGS = settings.load()
METRICS = meters.create(SETTINGS)
DATABASE = Threaded(SETTINGS, METRICS)
SESSIONS = Sessions(SETTINGS)
ABOUT = about.describe(
    SETTINGS,
    framework="FastAPI",
    server="uvicorn",
    model="threads",
    packages=("fastapi", "starlette", "pydantic", "uvicorn", "psycopg"),
    holders=("threads", SETTINGS.thread_limit),
    threads=SETTINGS.thread_limit,
    websocket=True,
)
METRICS.declare(ABOUT)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Limit the threads of this event loop; close the pool when the application ends."""
    current_default_thread_limiter().total_tokens = SETTINGS.thread_limit
    yield
    DATABASE.close()


app = application.create(METRICS, lifespan)


@app.get("/plaintext", response_class=PlainTextResponse)
def plaintext() -> str:
    return "Hello, World!"


@app.get("/json")
def message() -> models.Message:
    return models.Message(message="Hello, World!")


@app.get("/about", response_model=models.About)
def describe() -> dict[str, Any]:
    return ABOUT.document()


@app.get("/healthz")
def alive() -> models.Status:
    return models.Status(status="ok")


@app.get("/readyz", responses=faults.documented(503))
def ready() -> models.Status:
    DATABASE.ready()
    return models.Status(status="ready")


@app.get("/items", response_model=models.ItemPage, responses=faults.READING)
def list_items(limit: Limit = 20, offset: Offset = 0) -> dict[str, Any]:
    items = DATABASE.rows(queries.ITEMS, limit, offset)
    return {"items": items, "limit": limit, "offset": offset}


@app.get("/items/{id}", response_model=models.Item, responses=faults.documented(404, 422, 503))
def get_item(number: ItemId) -> dict[str, Any]:
    item = DATABASE.row(queries.ITEM, number)
    if item is None:
        raise errors.not_found(f"no item {number}")
    return item


@app.post("/orders", status_code=201, response_model=models.Order, responses=faults.WRITING)
def create_order(order: models.NewOrder) -> dict[str, Any]:
    return DATABASE.order(order)


@app.get("/wait", responses=faults.READING)
def wait(ms: WaitMs = 100) -> models.Waited:
    DATABASE.row(queries.WAIT, ms)
    return models.Waited(ms=ms)


@app.get("/fanout", responses=faults.READING)
def fanout(n: FanoutN = 5, ms: FanoutMs = 50) -> models.FannedOut:
    for _ in range(n):
        DATABASE.row(queries.WAIT, ms)
    return models.FannedOut(n=n, ms=ms)


@app.get("/stream", response_class=EventSourceResponse, responses=faults.CHECKED)
def stream(n: StreamN = 10, ms: StreamMs = 100) -> Iterator[models.Event]:
    for number in range(n):
        if number:
            time.sleep(ms / 1000)
        yield models.Event(event=number)


@app.get("/cpu", responses=faults.CHECKED)
def cpu(n: CpuN = 100_000) -> models.Computed:
    return models.Computed(n=n, result=work.compute(n))


def current_user(cookie: identity.Cookie) -> models.User:
    return models.User(username=SESSIONS.username(cookie))


@app.post("/session", status_code=201, responses=faults.documented(400, 413, 415, 422))
def log_in(login: models.Login, response: Response) -> models.User:
    identity.log_in(SESSIONS, login.username, response)
    return models.User(username=login.username)


@app.delete("/session", status_code=204)
def log_out(response: Response) -> None:
    identity.log_out(response)


@app.get("/me", responses=faults.documented(401))
def me(user: Annotated[models.User, Depends(current_user)]) -> models.User:
    return user


app.add_api_websocket_route("/ws", sockets.echo)
