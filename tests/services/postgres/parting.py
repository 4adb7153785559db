"""A relay in front of Postgres that speaks for it: its last words, and when it hangs up."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

FATAL = (
    b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0"
    b"Fpostgres.c\0L3314\0RProcessInterrupts\0\0"
)
NOTICE = b"SWARNING\0VWARNING\0C57P02\0Mterminating connection because of a crash\0\0"


def message(kind: bytes, content: bytes) -> bytes:
    """One message of Postgres' protocol."""
    return kind + (len(content) + 4).to_bytes(4) + content


SAID = {
    "nothing": b"",
    "its end": message(b"E", FATAL),
    "a crash": message(b"N", NOTICE),
    "a crash and its end": message(b"N", NOTICE) + message(b"E", FATAL),
    "half a message": message(b"E", FATAL)[:40],
}


class Partings:
    """Connections that may end, each in words of our choice; new ones reach Postgres."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._relays: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._parted: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self.part("nothing", 0.0)
        for client in self._parted:
            client.transport.abort()
        await asyncio.sleep(0.001)  # for the transports to close

    async def part(self, said: str, hang_up_s: float) -> None:
        """Say it on every connection that is open, and end it `hang_up_s` seconds later."""
        relays, self._relays = self._relays, {}
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
        for client in relays.values():
            client.write(SAID[said])
            self._parted.append(client)
            if hang_up_s:
                asyncio.get_running_loop().call_later(hang_up_s, client.close)
            else:
                client.close()

    def _accept(self, received: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self._relays[asyncio.create_task(self._relay(received, client))] = client

    async def _relay(self, received: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        answers, server = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(_pass(received, server), _pass(answers, client))
        finally:
            server.transport.abort()


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while received := await source.read(65_536):
            sink.write(received)
            await sink.drain()
    sink.close()
