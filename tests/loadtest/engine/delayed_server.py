"""A server whose response times are scripted: the truth that measured percentiles must meet.

`python tests/delayed_server.py '{"delays": [0.2, 0.8], "freeze": [1.0, 3.0]}'` prints its port.
Requests get the delays in turn. From 1.0 s to 3.0 s after the first request nothing is answered:
what would be waits for the end. It ends when its stdin is closed.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{"message":"Hello, World!"}'


class Truth:
    """When each answer is due."""

    def __init__(self, delays: list[float], freeze: tuple[float, float]) -> None:
        self._delays = itertools.cycle(delays)
        self._freeze = freeze
        self._first: float | None = None

    def due(self, now: float) -> float:
        self._first = now if self._first is None else self._first
        begins, ends = (self._first + moment for moment in self._freeze)
        delay = next(self._delays)
        return ends + delay if begins <= now + delay < ends else now + delay


class Answering(asyncio.Protocol):
    """One connection."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            due = self._truth.due(self._loop.time())
            self._loop.call_at(due, self._transport.write, ANSWER)


async def main(script: dict[str, list[float]]) -> None:
    begins, ends = script.get("freeze", [0.0, 0.0])
    truth = Truth(script["delays"], (begins, ends))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(truth), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
