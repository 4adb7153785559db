"""Requests with a body and the exact answer that the contract prescribes, as data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from loadtest.contract.cases import ANYTHING, HUGE, Case
from loadtest.inventory.manifest import VALIDATION

BODY_LIMIT = 262_144
MANY = 10_000  # wrong things in one body, far more than an answer names
JSON = "application/json"


def cases() -> Iterator[Case]:
    """Every case of a request with a body, those that write included."""
    yield from _bodies()
    yield from _orders()
    yield from _logins()


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
        for text in (b"null", b"1", b'"text"', b"[]", b"true", b"1e400", b"[" * 64 + b"]" * 64):
            wrong = _post(target, text, 422, "invalid", {"body"})
            yield replace(wrong, part=VALIDATION if target == "/orders" else "")
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
    b"[" * 10_001 + b"]" * 10_001,
    b"[" * 20_000 + b"]" * 20_000,
)


def _orders() -> Iterator[Case]:
    for title, change in _good_orders().items():
        yield _order(title, change, 201)
    twice = b'{"customer_id": 0, "customer_id": 1, "lines": [{"item_id": 1, "quantity": 1}]}'
    yield _post("/orders", twice, 201, title="a member given twice: the last counts")
    for title, change, fields in _wrong_orders():
        yield replace(_order(title, change, 422, set(fields.split())), part=VALIDATION)
    for name in ((), ("",), ("lines.0",)):
        without = _json(dict.fromkeys(name, 1))
        case = _post("/orders", without, 422, "invalid", {"customer_id", "lines", *name})
        yield replace(case, part=VALIDATION)
    many = {f"m{number}": 1 for number in range(MANY)}
    yield replace(_order(f"{MANY} unknown members", many, 422, set(many)), part=VALIDATION)
    for title, change, fields in _unknown_orders():
        yield _order(title, change, 422, set(fields.split()))


def _good_orders() -> dict[str, dict[str, Any]]:
    return {
        "the least": {},
        "the greatest": {"lines": [{"item_id": 10000, "quantity": 1000}] * 500},
        "a note": {"note": "Grüße – 你好 😀\n\t\"'\\"},
        "a note of 500 characters beyond the first plane": {"note": "😀" * 500},
        "an empty note": {"note": ""},
    }


def _wrong_orders() -> Iterator[tuple[str, dict[str, Any], str]]:
    value: Any
    for value in (0, -1, HUGE, -HUGE, 2147483648, 1.0, 1.5, "1", True, None, [], {}, 1e30):
        yield f"customer_id {value!r}", {"customer_id": value}, "customer_id"
        line = [{"item_id": 1, "quantity": 1}, {"item_id": value, "quantity": value}]
        yield f"a line of {value!r}", {"lines": line}, "lines.1.item_id lines.1.quantity"
    yield from _wrong_lines()
    for value in ("x" * 501, "😀" * 501, "\0", "a\0b", "\ud800", "\udc00x", None, 1, [], {}):
        yield f"note {value!r:.20}", {"note": value}, "note"
    yield "an unknown member", {"colour": "red"}, "colour"
    yield (
        "all at once",
        {"customer_id": "1", "lines": [{"item_id": 0}], "note": 1, "x": 1},
        "customer_id lines.0.item_id lines.0.quantity note x",
    )


def _wrong_lines() -> Iterator[tuple[str, dict[str, Any], str]]:
    value: Any
    yield "quantity 1001", {"lines": [{"item_id": 1, "quantity": 1001}]}, "lines.0.quantity"
    for value in ([], {}, None, "x", 1, _lines(*[1] * 501)):
        yield f"lines {str(value)[:20]}", {"lines": value}, "lines"
    for value in (1, None, "x", [], True):
        yield f"a line {value!r}", {"lines": [*_lines(1), value]}, "lines.1"
    yield "an empty line", {"lines": [{}]}, "lines.0.item_id lines.0.quantity"
    extra = [{"item_id": 1, "quantity": 1, "price_cents": 1}]
    yield "an unknown member of a line", {"lines": extra}, "lines.0.price_cents"


def _unknown_orders() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Wrong only in that the database has no such thing, which is seen while pricing."""
    yield "an unknown customer", {"customer_id": 1001}, "customer_id"
    yield (
        "unknown items",
        {"lines": _lines(1, 10001, 2, 2147483647)},
        "lines.1.item_id lines.3.item_id",
    )
    yield "both", {"customer_id": 5000, "lines": _lines(10001)}, "customer_id lines.0.item_id"


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
