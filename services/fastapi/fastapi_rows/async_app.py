"""fastapi-async: `async def` endpoints that await asyncpg; a request that waits is a paused task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.responses import PlainTextResponse

from fastapi_rows import application, identity, models
from fastapi_rows.bodies import JSONRoute
from fastapi_rows.faults import DOCUMENTED
from fastapi_rows.parameters import CpuN, FanoutMs, FanoutN, ItemId, Limit, Offset, WaitMs
from lab import about, errors, metrics, queries, settings, work
from lab.evented import Evented
from lab.sessions import Sessions

SETTINGS = settings.load()
METRICS = metrics.create(SETTINGS)
DATABASE = Evented(SETTINGS, METRICS)
SESSIONS = Sessions(SETTINGS)
ABOUT = about.describe(
    SETTINGS,
    framework="FastAPI",
    server="uvicorn",
    model="async",
    packages=("fastapi", "starlette", "pydantic", "uvicorn", "asyncpg"),
    fanout="at once",
    websocket=True,
)
METRICS.declare(ABOUT)

basics = APIRouter()
database = APIRouter(route_class=JSONRoute, responses={422: DOCUMENTED, 503: DOCUMENTED})
computing = APIRouter(responses={422: DOCUMENTED})
accounts = APIRouter(route_class=JSONRoute)


@basics.get("/plaintext", response_class=PlainTextResponse)
async def plaintext() -> str:
    return "Hello, World!"


@basics.get("/json")
async def message() -> models.Message:
    return models.Message(message="Hello, World!")


@basics.get("/about")
async def describe() -> models.About:
    return models.About(**ABOUT.document())


@basics.get("/healthz")
async def alive() -> models.Status:
    return models.Status(status="ok")


@database.get("/readyz")
async def ready() -> models.Status:
    await DATABASE.ready()
    return models.Status(status="ready")


@database.get("/items", response_model=models.ItemPage)
async def list_items(limit: Limit = 20, offset: Offset = 0) -> dict[str, Any]:
    items = await DATABASE.rows(queries.ITEMS, limit, offset)
    return {"items": items, "limit": limit, "offset": offset}


@database.get("/items/{id}", response_model=models.Item, responses={404: DOCUMENTED})
async def get_item(number: ItemId) -> dict[str, Any]:
    item = await DATABASE.row(queries.ITEM, number)
    if item is None:
        raise errors.not_found(f"no item {number}")
    return item


@database.post("/orders", status_code=201, response_model=models.Order)
async def create_order(order: models.NewOrder) -> dict[str, Any]:
    return await DATABASE.order(order)


@database.get("/wait")
async def wait(ms: WaitMs = 100) -> models.Waited:
    await DATABASE.row(queries.WAIT, ms)
    return models.Waited(ms=ms)


@database.get("/fanout")
async def fanout(n: FanoutN = 5, ms: FanoutMs = 50) -> models.FannedOut:
    await asyncio.gather(*(DATABASE.row(queries.WAIT, ms) for _ in range(n)))
    return models.FannedOut(n=n, ms=ms)


@computing.get("/cpu")
async def cpu(n: CpuN = 100_000) -> models.Computed:
    return models.Computed(n=n, result=work.compute(n))


async def current_user(cookie: identity.Cookie) -> models.User:
    return models.User(username=SESSIONS.username(cookie))


@accounts.post("/session", status_code=201, responses={422: DOCUMENTED})
async def log_in(login: models.Login, response: Response) -> models.User:
    identity.log_in(SESSIONS, login.username, response)
    return models.User(username=login.username)


@accounts.delete("/session", status_code=204)
async def log_out(response: Response) -> None:
    identity.log_out(response)


@accounts.get("/me", responses={401: DOCUMENTED})
async def me(user: Annotated[models.User, Depends(current_user)]) -> models.User:
    return user


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Open the pool while the application lives."""
    async with DATABASE:
        yield


app = application.create(METRICS, lifespan, basics, database, computing, accounts)
