"""Starlette's own first example, as the yardstick for its services."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def message(_: Request) -> JSONResponse:
    return JSONResponse({"message": "Hello, World!"})


async def ready(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ready"})


app = Starlette(routes=[Route("/json", message), Route("/readyz", ready)])
