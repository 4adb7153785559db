"""The contract in Starlette alone: what FastAPI stands on, without FastAPI and Pydantic."""
