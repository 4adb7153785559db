"""What other clients' parsers make of a response: h11, llhttp (Node's) and Python's http.client."""

from __future__ import annotations

import http.client
import io
from typing import Any

import h11
import httptools

from loadtest.engine.http1.head import MalformedResponse
from loadtest.engine.http1.responses import ResponseParser

Found = tuple[int, bytes] | None  # status and body; None where it is refused, or not whole


def by_us(data: bytes) -> Found:
    """The engine's; the server closes behind `data`."""
    parser = ResponseParser()
    try:
        response = parser.feed(data) or parser.finish()
    except MalformedResponse:
        return None
    return (response.head.status, response.body) if response else None


def by_h11(data: bytes) -> Found:
    """What httpcore and wsproto use."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    connection.receive_data(b"")
    status, body = 0, b""
    try:
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except h11.RemoteProtocolError:
        return None
    return status, body


class _Callbacks:
    def __init__(self) -> None:
        self.parser: Any = httptools.HttpResponseParser(self)
        self.body = b""
        self.done = self.headed = False

    def on_headers_complete(self) -> None:
        self.headed = self.parser.get_status_code() >= 200

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.done = self.headed


def by_llhttp(data: bytes) -> Found:
    """What Node.js and, through httptools, aiohttp's and uvicorn's kin use."""
    found = _Callbacks()
    try:
        found.parser.feed_data(data)
    except httptools.HttpParserError:
        if not found.done:
            return None
    length = [line for line in data.lower().split(b"\n") if line.startswith(b"content-length")]
    if not found.done and (not found.headed or length or b"chunked" in data.lower()):
        return None
    return found.parser.get_status_code(), found.body


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO(self._data)


def by_http_client(data: bytes) -> Found:
    """The standard library's, which urllib3 and requests use."""
    response = http.client.HTTPResponse(_Bytes(data), method="GET")  # type: ignore[arg-type]
    try:
        response.begin()
        return response.status, response.read()
    except (http.client.HTTPException, ValueError, OverflowError):
        return None


OTHERS = (by_h11, by_llhttp, by_http_client)
