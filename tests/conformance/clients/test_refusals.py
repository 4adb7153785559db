"""What a server refuses before any route sees it: said at once, and the service goes on."""

from __future__ import annotations

import contextlib
import socket

import pytest

from loadtest.inventory.manifest import REFUSED_ALOUD, Service

# Not every service refuses each of these; one that does not gives its usual answer.
REQUESTS = {
    "no HTTP": b"\x00\x01\x02\xff\r\n\r\n",
    "a version to come": b"GET /json HTTP/9.9\r\nHost: lab\r\n\r\n",
    "a method that nobody knows": b"FOO /json HTTP/1.1\r\nHost: lab\r\n\r\n",
    "a blank in the target": b"GET /js on HTTP/1.1\r\nHost: lab\r\n\r\n",
    "bytes in the target": b"GET /items/\xff\xfe HTTP/1.1\r\nHost: lab\r\n\r\n",
    "a long target": b"GET /items/" + b"1" * 100_000 + b" HTTP/1.1\r\nHost: lab\r\n\r\n",
    "a long header": b"GET /json HTTP/1.1\r\nHost: lab\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "many headers": b"GET /json HTTP/1.1\r\nHost: lab\r\n" + b"X: 1\r\n" * 5_000 + b"\r\n",
    "NUL in a header": b"GET /json HTTP/1.1\r\nHost: lab\r\nX: a\0b\r\n\r\n",
    "no colon in a header": b"GET /json HTTP/1.1\r\nHost: lab\r\nX\r\n\r\n",
    "no host": b"GET /json HTTP/1.1\r\n\r\n",
    "a strange host": b"GET /json HTTP/1.1\r\nHost: a b/\xe4\r\n\r\n",
    "a negative length": b"POST /orders HTTP/1.1\r\nHost: lab\r\nContent-Length: -1\r\n\r\n",
    "a length in words": b"POST /orders HTTP/1.1\r\nHost: lab\r\nContent-Length: ten\r\n\r\n",
    "two lengths": b"POST /orders HTTP/1.1\r\nHost: lab\r\nContent-Length: 2\r\n"
    b"Content-Length: 3\r\n\r\n{} ",
    "no such coding": b"POST /orders HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: x\r\n\r\n",
}
# The most that every service takes, as the contract has it.
LONGEST_LINE, LONGEST_HEADER, MOST_HEADERS = 4_094, 8_190, 100


def status(service: Service, request: bytes) -> int:
    """The status of the first answer, 0 where the service has closed instead; or TimeoutError."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(request)
        answer = client.makefile("rb").readline().split()
        return int(answer[1]) if answer else 0


def test_what_is_refused_is_the_clients_fault_and_hurts_nobody_else(service: Service) -> None:
    found = {title: status(service, request) for title, request in REQUESTS.items()}
    assert (0 in found.values()) == (REFUSED_ALOUD in service.leaves_out), found
    # 501 and 505 are what HTTP has for a coding and a version that the server does not know.
    assert {t: s for t, s in found.items() if s >= 500 and s not in (501, 505)} == {}
    assert found["no HTTP"] == 400
    assert status(service, b"GET /json HTTP/1.1\r\nHost: lab\r\n\r\n") == 200


@pytest.mark.parametrize("part", ["line", "header", "headers"])
def test_what_the_contract_lets_through_is_answered(service: Service, part: str) -> None:
    start, end = b"GET /items/1?x=", b" HTTP/1.1"
    line = start + b"x" * (LONGEST_LINE - len(start + end)) * (part == "line") + end
    headers = [b"Host: lab"]
    if part == "header":
        headers.append(b"X: " + b"x" * (LONGEST_HEADER - len("X: \r\n")))
    if part == "headers":
        headers += [b"X%d: 1" % number for number in range(MOST_HEADERS - 1)]
    assert status(service, b"\r\n".join([line, *headers, b"", b""])) == 200
