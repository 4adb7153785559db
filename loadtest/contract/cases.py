"""Requests with the exact answer that the contract prescribes, as data; bodies are apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loadtest.contract.catalogue import item

HUGE = 10**30
ANYTHING = object()
MOST_FIELDS = 100  # that an error names, of more wrong things whichever

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ROUTES: Mapping[str, tuple[str, ...]] = {
    "/plaintext": ("GET",),
    "/json": ("GET",),
    "/items": ("GET",),
    "/items/1": ("GET",),
    "/orders": ("POST",),
    "/wait": ("GET",),
    "/fanout": ("GET",),
    "/stream": ("GET",),
    "/cpu": ("GET",),
    "/session": ("POST", "DELETE"),
    "/me": ("GET",),
    "/about": ("GET",),
    "/healthz": ("GET",),
    "/readyz": ("GET",),
}

_NOT_NUMBERS = (
    *("", "abc", "1.0", "1e3", "0x1", "%2B1", "%201", "1%20", "1%0A", "1_0", "--1", "1,2"),
    *("%D9%A3", "%00", "1%00", "null", "0" * 18 + "1", str(HUGE), str(-HUGE)),
)


@dataclass(frozen=True)
class Case:
    """One request and its only right answer.

    `document` is the whole body as JSON; ANYTHING where it isn't the same each time. For an error
    `code` and `fields` are judged instead (messages are the service's own). `part`: the part of the
    contract that it belongs to, where a service may leave that out (`lab.leaves-out`).
    """

    title: str
    method: str
    target: str
    status: int
    document: Any = ANYTHING
    code: str = ""
    fields: frozenset[str] = frozenset()
    body: bytes | None = None
    content_type: str | None = None
    chunked: bool = False
    part: str = ""


def page(first: int, last: int, limit: int, offset: int) -> dict[str, Any]:
    """The document of /items with the items `first` to `last`."""
    return {"items": [item(n) for n in range(first, last + 1)], "limit": limit, "offset": offset}


def computed(n: int) -> dict[str, int]:
    """The document of /cpu."""
    x = 1
    for _ in range(n):
        x = x * 48271 % 2147483647
    return {"n": n, "result": x}


def cases() -> Iterator[Case]:
    """Every case of a request without a body."""
    yield from _floor()
    yield from _numbers()
    yield from _paths()
    yield from _methods()


def _floor() -> Iterator[Case]:
    yield _good("/json", {"message": "Hello, World!"})
    yield _good("/items", page(1, 20, 20, 0))
    yield _good("/items?limit=100&offset=50", page(51, 150, 100, 50))
    yield _good("/items?limit=3&offset=9998", page(9999, 10000, 3, 9998))
    yield _good("/items?offset=1000000", page(1, 0, 20, 1000000))
    yield _good("/items?limit=1&limit=abc&limit=2", page(1, 2, 2, 0), "the last of equal names")
    yield _good("/items?limit=%33&offset=-0&colour=red", page(1, 3, 3, 0), "encoded and unknown")
    yield _good("/items?limit=007", page(1, 7, 7, 0), "leading zeros")
    yield _good("/items/1", item(1))
    yield _good("/items/10000", item(10000))
    yield _good("/wait?ms=0", {"ms": 0})
    yield _good("/wait?ms=15", {"ms": 15})
    yield _good("/wait", {"ms": 100}, "the default")
    yield _good("/fanout?n=3&ms=5", {"n": 3, "ms": 5})
    yield _good("/fanout?n=1&ms=0", {"n": 1, "ms": 0})
    for n in (0, 1, 2, 1000):
        yield _good(f"/cpu?n={n}", computed(n))
    yield _good("/cpu", {"n": 100_000, "result": 1405402365}, "the default")
    yield _good("/healthz", {"status": "ok"})
    yield _good("/readyz", {"status": "ready"})


def _numbers() -> Iterator[Case]:
    limits = {
        "/items?limit=": (1, 100),
        "/items?offset=": (0, 1_000_000),
        "/wait?ms=": (0, 10_000),
        "/fanout?n=": (1, 20),
        "/fanout?ms=": (0, 1_000),
        "/stream?n=": (1, 1_000),
        "/stream?ms=": (0, 1_000),
        "/cpu?n=": (0, 50_000_000),
    }
    for target, (minimum, maximum) in limits.items():
        name = target.partition("?")[2][:-1]
        for text in (*_NOT_NUMBERS, str(minimum - 1), str(maximum + 1), "9" * 18):
            yield _bad("GET", target + text, 422, "invalid", {name})
    yield _bad("GET", "/items?limit=0&offset=x", 422, "invalid", {"limit", "offset"})
    for route in ("/fanout?n=21", "/stream?n=1001"):
        yield _bad("GET", f"{route}&ms=1001", 422, "invalid", {"n", "ms"})
    for text in (*_NOT_NUMBERS[1:], "0", "-1", "2147483648", "9" * 18):
        yield _bad("GET", f"/items/{text}", 422, "invalid", {"id"})


def _paths() -> Iterator[Case]:
    for target in ("/items/10001", "/items/2147483647"):
        yield _bad("GET", target, 404, "not_found")
    for target in (
        "/",
        "/nope",
        "/json/",
        "/JSON",
        "/items/",
        "/items/1/2",
        "/items/1/",
        "/wait/5",
    ):
        yield _bad("GET", target, 404, "not_found")
    yield _bad("POST", "/nope", 404, "not_found")
    yield _bad("GET", "/me", 401, "unauthorized")


def _methods() -> Iterator[Case]:
    for target, allowed in ROUTES.items():
        for method in METHODS:
            if method not in allowed:
                yield _bad(method, target, 405, "method_not_allowed")


def _good(target: str, document: Any, title: str = "") -> Case:
    return Case(title, "GET", target, 200, document)


def _bad(method: str, target: str, status: int, code: str, fields: set[str] | None = None) -> Case:
    return Case("", method, target, status, code=code, fields=frozenset(fields or ()))
