"""A service whose requests compute for a known time: `python -m benchmarks.own.spinning PORT N`.

It answers after N steps of a loop, one request after another, as a service on one core does.
"""

from __future__ import annotations

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Spinning(asyncio.Protocol):
    """One connection; `steps` is how much a request computes."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *whole, self._seen = (self._seen + data).split(b"\r\n\r\n")
        for _ in whole:
            spin(self._steps)
            self._transport.write(ANSWER)


def spin(steps: int) -> int:
    """Compute for as long as `steps` take."""
    found = 0
    for step in range(steps):
        found = (found * 48271 + step) % 2147483647
    return found


async def main(port: int, steps: int) -> None:
    """Serve until the end."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Spinning(steps), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
