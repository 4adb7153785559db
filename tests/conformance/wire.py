"""HTTP/1.1 as bytes, for clients that no library would be."""

from __future__ import annotations

import http.client
import json
import socket
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


def ask(service: Service, request: bytes) -> tuple[int, Any] | None:
    """The same on a connection of its own."""
    with connect(service) as client, client.makefile("rb") as received:
        client.sendall(request)
        return answer(received)
