"""A front that passes requests on to UPSTREAM, at most HOLDS of them at once (0: any number)."""

from __future__ import annotations

import os

import httpx
from fastapi import FastAPI, Request, Response

app = FastAPI()
_upstream = httpx.AsyncClient(
    base_url=os.environ["UPSTREAM"],
    limits=httpx.Limits(max_connections=int(os.environ["HOLDS"]) or None, keepalive_expiry=2),
    timeout=None,
    trust_env=False,
)


@app.get("/{path:path}")
async def passed_on(path: str, request: Request) -> Response:
    """The upstream's answer."""
    answer = await _upstream.get(f"/{path}", params=dict(request.query_params))
    return Response(answer.content, answer.status_code, media_type="text/plain")
