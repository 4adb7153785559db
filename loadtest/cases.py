"""Requests with the exact answer that the contract prescribes, as data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

BODY_LIMIT = 262_144
HUGE = 10**30
JSON = "application/json"
ANYTHING = object()

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ROUTES: Mapping[str, tuple[str, ...]] = {
    "/plaintext": ("GET",),
    "/json": ("GET",),
    "/items": ("GET",),
    "/items/1": ("GET",),
    "/orders": ("POST",),
    "/wait": ("GET",),
    "/fanout": ("GET",),
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
_ADJECTIVES = ("Amber", "Azure", "Coral", "Ivory", "Jade", "Ochre", "Ruby", "Slate")
_NOUNS = ("bowl", "clock", "desk", "kettle", "lamp", "mirror", "shelf", "vase", "stool")


@dataclass(frozen=True)
class Case:
    """One request and its only right answer.

    `document` is the whole body as JSON; ANYTHING where it isn't the same each time. For an error
    `code` and `fields` are judged instead (messages are the row's own).
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


def item(number: int) -> dict[str, Any]:
    """An item of the seed data, by the formulas of services/postgres/02-seed.sql."""
    return {
        "id": number,
        "name": f"{_ADJECTIVES[number % 8]} {_NOUNS[number % 9]} {number}",
        "description": (
            f"Catalogue number {number:05}, made in workshop {1 + number % 17}"
            f" – {20 + number * 7 % 180} × {20 + number * 11 % 180} mm."
        ),
        "price_cents": 100 + number * 7919 % 99900,
        "stock": number * 31 % 500,
    }


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
    """Every case, those that write included."""
    yield from _floor()
    yield from _numbers()
    yield from _paths()
    yield from _methods()
    yield from _bodies()
    yield from _orders()
    yield from _logins()


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
        "/cpu?n=": (0, 50_000_000),
    }
    for target, (minimum, maximum) in limits.items():
        name = target.partition("?")[2][:-1]
        for text in (*_NOT_NUMBERS, str(minimum - 1), str(maximum + 1), "9" * 18):
            yield _bad("GET", target + text, 422, "invalid", {name})
    yield _bad("GET", "/items?limit=0&offset=x", 422, "invalid", {"limit", "offset"})
    yield _bad("GET", "/fanout?n=21&ms=1001", 422, "invalid", {"n", "ms"})
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


def _bodies() -> Iterator[Case]:
    order = b'{"customer_id": 1, "lines": [{"item_id": 1, "quantity": 1}]}'
    for target, good in (("/orders", order), ("/session", b'{"username": "ann"}')):
        for content_type in (None, "text/plain", "application/x-www-form-urlencoded", "text/json"):
            yield _post(target, good, 415, "unsupported_media_type", {"body"}, content_type)
        for content_type in ("application/jsonx", "application/ld+json", "multipart/form-data"):
            yield _post(target, good, 415, "unsupported_media_type", {"body"}, content_type)
        for content_type in ("application/json; charset=utf-8", "Application/JSON"):
            yield _post(target, good, 201, content_type=content_type)
        yield _post(target, good, 201, chunked=True)
        yield from _sizes(target, good)
        for text in _MALFORMED:
            yield _post(target, text, 400, "malformed", {"body"})
        for text in (b"null", b"1", b'"text"', b"[]", b"true", b"1e400", b"[" * 50 + b"]" * 50):
            yield _post(target, text, 422, "invalid", {"body"})
    yield _post("/orders", b'{"\\ud800": 1}', 422, "invalid", {"body"})


def _sizes(target: str, good: bytes) -> Iterator[Case]:
    yield _post(target, good + b" " * (BODY_LIMIT - len(good)), 201, title="a body of full size")
    large = good + b" " * (BODY_LIMIT + 1 - len(good))
    for body in (large, b"x" * 1_048_576):
        yield _post(target, body, 413, "too_large", {"body"}, title=f"{len(body)} bytes")
        yield _post(
            target, body, 413, "too_large", {"body"}, chunked=True, title=f"{len(body)}, chunked"
        )
    yield _post(
        target, large, 415, "unsupported_media_type", {"body"}, "text/plain", title="large text"
    )


_MALFORMED = (
    b"",
    b" ",
    b"{",
    b"nope",
    b"{'customer_id': 1}",
    b'{"customer_id": 1,}',
    b'{"customer_id": 01}',
    b'{"customer_id": NaN}',
    b'{"customer_id": -Infinity}',
    b'{"note": "\xff"}',
    b'{"note": "\xed\xa0\x80"}',
    b'{"note": "\x00"}',
    b'{"note": "open',
    b'{"note": "\\x"}',
    b"\xef\xbb\xbf{}",
    b"{} {}",
    b"\x00",
    b"[" * 20_000 + b"]" * 20_000,
)


def _orders() -> Iterator[Case]:
    for title, change in _good_orders().items():
        yield _order(title, change, 201)
    twice = b'{"customer_id": 0, "customer_id": 1, "lines": [{"item_id": 1, "quantity": 1}]}'
    yield _post("/orders", twice, 201, title="a member given twice: the last counts")
    for title, change, fields in _wrong_orders():
        yield _order(title, change, 422, set(fields.split()))
    yield _post("/orders", b"{}", 422, "invalid", {"customer_id", "lines"})


def _good_orders() -> dict[str, dict[str, Any]]:
    return {
        "the least": {},
        "the greatest": {"lines": [{"item_id": 10000, "quantity": 1000}] * 500},
        "a note": {"note": "Grüße – 你好 😀\n\t\"'\\"},
        "a note of 500 characters beyond the first plane": {"note": "😀" * 500},
        "an empty note": {"note": ""},
    }


def _wrong_orders() -> Iterator[tuple[str, dict[str, Any], str]]:
    values: tuple[Any, ...] = (
        0,
        -1,
        HUGE,
        -HUGE,
        2147483648,
        1.0,
        1.5,
        "1",
        True,
        None,
        [],
        {},
        1e30,
    )
    for value in values:
        yield f"customer_id {value!r}", {"customer_id": value}, "customer_id"
        line = [{"item_id": 1, "quantity": 1}, {"item_id": value, "quantity": value}]
        yield f"a line of {value!r}", {"lines": line}, "lines.1.item_id lines.1.quantity"
    yield "an unknown customer", {"customer_id": 1001}, "customer_id"
    yield (
        "unknown items",
        {"lines": _lines(1, 10001, 2, 2147483647)},
        "lines.1.item_id lines.3.item_id",
    )
    yield "both", {"customer_id": 5000, "lines": _lines(10001)}, "customer_id lines.0.item_id"
    yield "quantity 1001", {"lines": [{"item_id": 1, "quantity": 1001}]}, "lines.0.quantity"
    for value in ([], {}, None, "x", 1, _lines(*[1] * 501)):
        yield f"lines {str(value)[:20]}", {"lines": value}, "lines"
    for value in (1, None, "x", [], True):
        yield f"a line {value!r}", {"lines": [*_lines(1), value]}, "lines.1"
    yield "an empty line", {"lines": [{}]}, "lines.0.item_id lines.0.quantity"
    yield "an unknown member", {"colour": "red"}, "colour"
    extra = [{"item_id": 1, "quantity": 1, "price_cents": 1}]
    yield "an unknown member of a line", {"lines": extra}, "lines.0.price_cents"
    for value in ("x" * 501, "😀" * 501, "\0", "a\0b", "\ud800", "\udc00x", None, 1, [], {}):
        yield f"note {value!r:.20}", {"note": value}, "note"
    yield (
        "all at once",
        {"customer_id": "1", "lines": [{"item_id": 0}], "note": 1, "x": 1},
        "customer_id lines.0.item_id lines.0.quantity note x",
    )


def _logins() -> Iterator[Case]:
    for name in ("a", "Zoë 😀", "😀" * 64, " ", "a;b=c,d"):
        yield _post("/session", _json({"username": name}), 201, document={"username": name})
    wrong: tuple[Any, ...] = ("", "x" * 65, "😀" * 65, "\0", "a\0", "\ud800", None, 1, True, [], {})
    for value in wrong:
        yield _post("/session", _json({"username": value}), 422, "invalid", {"username"})
    yield _post("/session", b"{}", 422, "invalid", {"username"})
    yield _post("/session", b'{"username": "a", "admin": true}', 422, "invalid", {"admin"})


def _lines(*items: int) -> list[dict[str, int]]:
    return [{"item_id": number, "quantity": 1} for number in items]


def _order(title: str, change: dict[str, Any], status: int, fields: set[str] | None = None) -> Case:
    order = {"customer_id": 1, "lines": _lines(1), **change}
    code = "invalid" if status == 422 else ""
    return _post("/orders", _json(order), status, code, fields, title=title)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _good(target: str, document: Any, title: str = "") -> Case:
    return Case(title, "GET", target, 200, document)


def _bad(method: str, target: str, status: int, code: str, fields: set[str] | None = None) -> Case:
    return Case("", method, target, status, code=code, fields=frozenset(fields or ()))


def _post(
    target: str,
    body: bytes,
    status: int,
    code: str = "",
    fields: set[str] | None = None,
    content_type: str | None = JSON,
    *,
    document: Any = ANYTHING,
    chunked: bool = False,
    title: str = "",
) -> Case:
    name = title or f"{body[:40]!r}{'' if content_type == JSON else f' as {content_type}'}"
    named = frozenset(fields or ())
    return Case(name, "POST", target, status, document, code, named, body, content_type, chunked)
