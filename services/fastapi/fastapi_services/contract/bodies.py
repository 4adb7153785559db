"""JSON bodies under the contract's rules: media type, size and syntax before validation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from lab import internals
from lab.contract import bodies, errors

internals.check(__name__)


class JSONRequest(Request):
    """A request whose body has been read and parsed."""

    _raw: bytes
    _document: Any

    async def load(self) -> None:
        """Read the body; raises a Fault 415, 413 or 400."""
        try:
            self._raw = await self._whole(self.stream())
        except ClientDisconnect:
            raise bodies.cut_short() from None
        self._document = bodies.parse(self._raw)

    async def _whole(self, chunks: AsyncIterator[bytes]) -> bytes:
        try:
            return await bodies.gathered(chunks, self.headers)
        except errors.Fault:
            await bodies.drained(chunks, self.headers)
            raise

    async def body(self) -> bytes:
        return self._raw

    async def json(self) -> Any:
        return self._document


class JSONRoute(APIRoute):
    """A route that hands its endpoint only bodies that are JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def checked(request: Request) -> Response:
            with_body = JSONRequest(request.scope, request.receive)
            await with_body.load()
            return await handle(with_body)

        return checked
