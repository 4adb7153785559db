"""What the four rows have in common: one way to make the application."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI

from fastapi_rows import faults, sockets
from lab.metrics import Metrics

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create(metrics: Metrics, lifespan: Lifespan, *routers: APIRouter) -> FastAPI:
    """An application of `routers` and the WebSocket, with the contract's errors and the metrics."""
    app = FastAPI(
        title="The lab's HTTP contract",
        version="1.0",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    for router in routers:
        app.include_router(router)
    app.include_router(sockets.router)
    faults.add_handlers(app)
    app.add_middleware(metrics.asgi)
    return app
