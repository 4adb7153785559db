"""FastAPI's own first example, as the yardstick for its services."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/json")
async def message() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ready"}
