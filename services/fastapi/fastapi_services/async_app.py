"""fastapi-async: the event loop awaits the database and computes /cpu itself."""

from __future__ import annotations

from fastapi_services.awaiting import app
from fastapi_services.contract import faults, models
from fastapi_services.contract.parameters import CpuN
from lab.contract import work

__all__ = ["app"]


@app.get("/cpu", responses=faults.CHECKED)
async def cpu(n: CpuN = 100_000) -> models.Computed:
    return models.Computed(n=n, result=work.compute(n))
