"""fastapi-processpool: as fastapi-async, but /cpu is computed in other processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from fastapi_services import awaiting
from fastapi_services.awaiting import app
from fastapi_services.contract import faults, models
from fastapi_services.contract.parameters import CpuN
from fastapi_services.processes import ProcessPool
from lab.contract import work

POOL = ProcessPool(awaiting.SETTINGS.processes)


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[None]:
    """Open the database pool and the process pool while the application lives."""
    async with awaiting.lifespan(application):
        with POOL:
            yield


app.router.lifespan_context = lifespan


@app.get("/cpu", responses=faults.documented(422, 503))
async def cpu(n: CpuN = 100_000) -> models.Computed:
    return models.Computed(n=n, result=await POOL.run(work.compute, n))
