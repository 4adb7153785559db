"""A server that answers at once and closes each connection: `python closing.py PORT`.

With `--silent` it does not say so before.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

SAYS = b"" if "--silent" in sys.argv else b"Connection: close\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + SAYS + b"\r\nok"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read one request, answer it, close."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
    writer.close()


async def main() -> None:
    """Serve for ever."""
    server = await asyncio.start_server(answer, "127.0.0.1", int(sys.argv[1]), backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
