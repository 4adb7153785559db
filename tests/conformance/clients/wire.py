"""HTTP/1.1 as bytes, for clients that no library would be."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterable
from typing import Any, BinaryIO

from loadtest.inventory.manifest import Service

ORDER = b'{"customer_id": 1, "lines": [{"item_id": 1, "quantity": 1}]}'
JSON = "application/json"
TIMEOUT_S = 60.0


def head(method: str, target: str, *fields: str) -> bytes:
    """A request up to its body."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: lab", *fields, "", ""]).encode()


def post(target: str, body: bytes, content_type: str = JSON) -> bytes:
    """A whole request with a body."""
    length = f"Content-Length: {len(body)}"
    return head("POST", target, f"Content-Type: {content_type}", length) + body


def connect(service: Service) -> socket.socket:
    """A connection to the service on which nothing may take longer than TIMEOUT_S."""
    return socket.create_connection(("127.0.0.1", service.port), timeout=TIMEOUT_S)


def answer(received: BinaryIO) -> tuple[int, Any] | None:
    """Status and document of the next answer, None where the service has closed instead."""
    line = received.readline()
    if not line:
        return None
    length = int(http.client.parse_headers(received)["Content-Length"])
    return int(line.split()[1]), json.loads(received.read(length))


def statuses(received: BinaryIO, methods: Iterable[str]) -> list[int]:
    """Statuses of the answers to requests of these methods, up to one that ends the connection."""
    found: list[int] = []
    with contextlib.suppress(ConnectionResetError):
        for method in methods:
            while (line := received.readline()) and int(line.split()[1]) == 100:
                http.client.parse_headers(received)
            if not line:
                break
            found.append(int(line.split()[1]))
            fields = http.client.parse_headers(received)
            if fields.get("Connection", "").lower() == "close":
                break
            if method != "HEAD" and found[-1] != 204:
                _skip_body(received, fields)
    return found


def _skip_body(received: BinaryIO, fields: http.client.HTTPMessage) -> None:
    if "Content-Length" in fields:
        received.read(int(fields["Content-Length"]))
        return
    while size := int(received.readline().split(b";")[0], 16):
        received.read(size + 2)
    http.client.parse_headers(received)


def ask(service: Service, request: bytes) -> tuple[int, Any] | None:
    """The same on a connection of its own."""
    with connect(service) as client, client.makefile("rb") as received:
        client.sendall(request)
        return answer(received)
