"""`uvicorn django_services.asgi:application`."""

from __future__ import annotations

import asyncio
import os
from typing import IO

import django
import orjson
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler

from django_services.contract import operations
from django_services.environment import METRICS
from lab import internals
from lab.contract import bodies
from lab.contract.errors import Fault
from lab.metrics.counting import Receive, Scope, Send

internals.check(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_services.asgi_settings")


class Handler(ASGIHandler):  # type: ignore[misc]
    """Django's handler, which waits for a body without end before it looks at anything else."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().handle(scope, receive, send)
        except Fault as fault:
            body = orjson.dumps(fault.document())
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
            ]
            await send({"type": "http.response.start", "status": fault.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    async def read_body(self, receive: Receive) -> IO[bytes]:
        try:
            async with asyncio.timeout(bodies.WAIT_S):
                return await super().read_body(receive)  # type: ignore[no-any-return]
        except TimeoutError:
            raise bodies.late() from None


django.setup(set_prefix=False)
application = METRICS.asgi(Handler())
METRICS.declare(settings.LAB_ABOUT)
METRICS.watch_pool(operations.pool_size)
