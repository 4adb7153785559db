"""FastAPI endpoints that wait: in the right way, in the wrong one, in threads, for a pool."""

from __future__ import annotations

import asyncio
import threading
import time

from fastapi import FastAPI

app = FastAPI()
_pool = threading.BoundedSemaphore(15)  # SQLAlchemy's default: 5, and 10 more while needed


@app.get("/")
async def wait(ms: int = 100) -> str:
    """Pauses: the event loop goes on with others."""
    await asyncio.sleep(ms / 1000)
    return "waited"


@app.get("/blocking")
async def blocking() -> str:
    """Blocks the event loop."""
    time.sleep(0.05)
    return "waited"


@app.get("/threads")
def in_a_thread() -> str:
    """Runs in one of the 40 threads that AnyIO allows."""
    time.sleep(0.1)
    return "waited"


@app.get("/pooled")
def pooled() -> str:
    """Runs in one of 40 threads, and needs one of 15 connections."""
    with _pool:
        time.sleep(0.1)
    return "waited"


@app.get("/computing")
async def computing() -> str:
    """Computes for some milliseconds and waits for nothing."""
    return str(sum(number * number for number in range(100_000)))
