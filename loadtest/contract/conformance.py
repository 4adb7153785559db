"""Does a service keep the contract? Exact checks against whatever answers at a base URL."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from loadtest.contract import body_cases, cases
from loadtest.contract.cases import ANYTHING, MOST_FIELDS, ROUTES, Case
from loadtest.contract.stream_check import check_stream
from loadtest.contract.websocket_check import check_echo
from loadtest.model.counts import number_of

ANSWER_TIMEOUT_S = 20.0
_PIECE_BYTES = 16_384


@dataclass(frozen=True)
class Reply:
    """What came back; `headers` by lower-case name, `cookies` as the Set-Cookie lines."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: bytes


Judge = Callable[[Case, Reply], Iterator[str]]


class Client:
    """One keep-alive connection to a service; opened anew where the service has closed it."""

    def __init__(self, base_url: str) -> None:
        address = urlsplit(base_url)
        self._connection = http.client.HTTPConnection(address.netloc, timeout=ANSWER_TIMEOUT_S)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        chunked: bool = False,
    ) -> Reply:
        """One exchange; raises OSError or http.client.HTTPException where there is no answer."""
        content = _chunks(body) if chunked and body is not None else body
        # A service may answer before it has read all, and then close.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._connection.request(
                method, target, content, dict(headers or {}), encode_chunked=chunked
            )
        try:
            response = self._connection.getresponse()
            answer = Reply(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                tuple(response.headers.get_all("Set-Cookie") or ()),
                response.read(),
            )
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return answer


def check(
    base_url: str,
    about: Mapping[str, Any] | None = None,
    leaves_out: Collection[str] = (),
) -> list[str]:
    """Every failure of the service at `base_url`, one line each; none means that it keeps the
    contract.

    Writes some orders and nothing else. `about` is what the service should say of itself, as far as
    it is known (`service`, `framework`, `model`). Of the parts that it `leaves_out` it has to give
    an answer, whichever, and go on.
    """
    failures: list[str] = []
    with Client(base_url) as client:
        for case in (*cases.cases(), *body_cases.cases()):
            judge = _judge_left_out if case.part in leaves_out else _judge
            failures += _attempt(title(case), partial(_examine, case, judge, client))
        for name, examine in _EXAMINED.items():
            failures += _attempt(name, partial(examine, client))
        failures += _attempt("/stream", partial(check_stream, base_url))
        failures += _attempt("/about", lambda: _about(client, about or {}))
        failures += _attempt("/ws", lambda: _websocket(client, base_url))
    return failures


def _attempt(title: str, examine: Callable[[], Iterator[str]]) -> Iterator[str]:
    try:
        for problem in examine():
            yield f"{title}: {problem}"
    except (OSError, http.client.HTTPException) as error:
        yield f"{title}: no answer ({type(error).__name__}: {error})"
    except (ValueError, KeyError, TypeError) as error:
        yield f"{title}: the answer has another shape ({type(error).__name__}: {error})"


def title(case: Case) -> str:
    """What a failure of the case begins with."""
    target = case.target if len(case.target) < 60 else case.target[:57] + "…"
    return f"{case.method} {target}" + (f" ({case.title})" if case.title else "")


def ask(client: Client, case: Case) -> Reply:
    """One exchange, whatever comes back; raises as `Client.send` does."""
    headers = {"Content-Type": case.content_type} if case.content_type else {}
    return client.send(case.method, case.target, case.body, headers, chunked=case.chunked)


def _examine(case: Case, judge: Judge, client: Client) -> Iterator[str]:
    yield from judge(case, ask(client, case))


def _judge_left_out(case: Case, answer: Reply) -> Iterator[str]:
    if answer.status not in (case.status, 201, 500):
        yield f"status {answer.status}, want {case.status}, or 201 or 500 where nobody checks"
    json.loads(answer.body)


def _judge(case: Case, answer: Reply) -> Iterator[str]:
    if answer.status != case.status:
        yield f"status {answer.status}, want {case.status}: {answer.body[:160]!r}"
        return
    if not answer.headers.get("content-type", "").startswith("application/json"):
        yield f"content type {answer.headers.get('content-type')!r}, want application/json"
        return
    document = json.loads(answer.body)
    if case.code:
        yield from _judge_error(case, document)
    elif case.document is not ANYTHING and document != case.document:
        yield f"{answer.body[:160]!r}, want {json.dumps(case.document)[:160]}"
    if case.status == 405:
        yield from _judge_allow(case, answer)


def _judge_error(case: Case, document: Any) -> Iterator[str]:
    error = document["error"]
    if document.keys() != {"error"} or error.keys() != {"code", "message", "fields"}:
        yield f"the error has members {sorted(error)}, want code, message, fields"
        return
    if error["code"] != case.code:
        yield f"code {error['code']!r}, want {case.code!r}"
    named = [field["field"] for field in error["fields"]]
    if len(case.fields) > MOST_FIELDS:
        if len(named) != MOST_FIELDS or not case.fields.issuperset(named):
            yield f"names {len(named)} of {len(case.fields)} wrong things, want {MOST_FIELDS}"
    elif set(named) != case.fields:
        yield f"names {sorted(set(named))}, want {sorted(case.fields)}"
    texts = [error["message"], *(field["message"] for field in error["fields"])]
    if not all(isinstance(text, str) and text for text in texts):
        yield "a message is empty"


def _judge_allow(case: Case, answer: Reply) -> Iterator[str]:
    allow = {method.strip() for method in answer.headers.get("allow", "").split(",")}
    missing = set(ROUTES[case.target]) - allow
    if missing or case.method in allow:
        yield f"Allow is {answer.headers.get('allow')!r}, want {', '.join(ROUTES[case.target])}"


def _plaintext(client: Client) -> Iterator[str]:
    answer = client.send("GET", "/plaintext")
    if (answer.status, answer.body) != (200, b"Hello, World!"):
        yield f"{answer.status} {answer.body[:80]!r}, want 200 Hello, World!"
    if not answer.headers.get("content-type", "").startswith("text/plain"):
        yield f"content type {answer.headers.get('content-type')!r}, want text/plain"


def _head_and_options(client: Client) -> Iterator[str]:
    for target in ("/json", "/items/1", "/items"):
        head = client.send("HEAD", target)
        if head.status not in (200, 405) or head.body:
            yield f"HEAD {target} is {head.status}, want 200 or 405 and no body"
        options = client.send("OPTIONS", target)
        if options.status not in (200, 204, 405) or "GET" not in options.headers.get("allow", ""):
            yield f"OPTIONS {target} is {options.status}, want 200, 204 or 405 with Allow"


def _order_total(client: Client) -> Iterator[str]:
    prices = {n: json.loads(client.send("GET", f"/items/{n}").body)["price_cents"] for n in (3, 4)}
    lines = [
        {"item_id": 3, "quantity": 2},
        {"item_id": 4, "quantity": 5},
        {"item_id": 3, "quantity": 1},
    ]
    body = json.dumps({"customer_id": 7, "lines": lines, "note": "total"}).encode()
    answer = client.send("POST", "/orders", body, {"Content-Type": "application/json"})
    document = json.loads(answer.body)
    want = 3 * prices[3] + 5 * prices[4]
    if document.keys() != {"id", "total_cents"} or document["total_cents"] != want:
        yield f"{document}, want total_cents {want} and an id"
    again = json.loads(
        client.send("POST", "/orders", body, {"Content-Type": "application/json"}).body
    )
    if not again["id"] > document["id"] > 0:
        yield f"order {again['id']} after {document['id']}"


def _session(client: Client) -> Iterator[str]:
    body = '{"username": "Zoë 😀"}'.encode()
    answer = client.send("POST", "/session", body, {"Content-Type": "application/json"})
    (cookie,) = [morsel for line in answer.cookies for morsel in SimpleCookie(line).values()]
    if cookie.key != "session" or not cookie["httponly"] or cookie["path"] != "/":
        yield f"Set-Cookie is {answer.cookies}, want session with HttpOnly and Path=/"
    if cookie["samesite"].lower() != "lax":
        yield f"SameSite is {cookie['samesite']!r}, want Lax"
    me = client.send("GET", "/me", headers={"Cookie": f"other=1; session={cookie.coded_value}"})
    if me.status != 200 or json.loads(me.body) != {"username": "Zoë 😀"}:
        yield f"/me with the cookie is {me.status} {me.body[:80]!r}"
    for forged in ("", "x", cookie.coded_value[:-2] + "~~", "Ä", cookie.coded_value.upper()):
        headers = {"Cookie": f"session={forged}"}
        if (status := client.send("GET", "/me", headers=headers).status) != 401:
            yield f"/me with a forged cookie is {status}, want 401"
    yield from _log_out(client, cookie.coded_value)


def _log_out(client: Client, value: str) -> Iterator[str]:
    for headers in ({}, {"Cookie": f"session={value}"}):
        answer = client.send("DELETE", "/session", headers=headers)
        if (answer.status, answer.body) != (204, b""):
            yield f"DELETE is {answer.status} {answer.body[:80]!r}, want 204 and no body"
    cleared = [m for line in answer.cookies for m in SimpleCookie(line).values()]
    if not any(m.key == "session" and not m.value for m in cleared):
        yield f"DELETE sets {answer.cookies}, want an empty session cookie"


_EXAMINED: Mapping[str, Callable[[Client], Iterator[str]]] = {
    "GET /plaintext": _plaintext,
    "HEAD and OPTIONS": _head_and_options,
    "the total of an order": _order_total,
    "a session": _session,
}

_ABOUT: Mapping[str, type] = {
    "service": str,
    "framework": str,
    "server": str,
    "model": str,
    "versions": dict,
    "workers": int,
    "threads": int,
    "pool_size": int,
    "slots": int,
    "slots_bound_by": str,
    "fanout": str,
    "websocket": bool,
}


def _about(client: Client, expected: Mapping[str, Any]) -> Iterator[str]:
    document = json.loads(client.send("GET", "/about").body)
    if {name: type(value) for name, value in document.items()} != dict(_ABOUT):
        yield f"members {sorted(document)} of types {[type(v).__name__ for v in document.values()]}"
        return
    for name, value in expected.items():
        if document[name] != value:
            yield f"{name} is {document[name]!r}, want {value!r}"
    if not 1 <= document["slots"] <= document["workers"] * document["pool_size"]:
        yield f"{number_of(document['slots'], 'slot')}, more than workers × pool_size or none"
    if document["fanout"] not in ("at once", "in turn"):
        yield f"fanout is {document['fanout']!r}"


def _websocket(client: Client, base_url: str) -> Iterator[str]:
    if json.loads(client.send("GET", "/about").body)["websocket"]:
        yield from check_echo(base_url)
        return
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    answer = client.send(
        "GET", "/ws", headers=upgrade | {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    )
    if answer.status != 404 or json.loads(answer.body)["error"]["code"] != "not_found":
        yield f"{answer.status} {answer.body[:80]!r}, want 404 where there is no WebSocket"


def _chunks(body: bytes) -> Iterator[bytes]:
    return (body[start : start + _PIECE_BYTES] for start in range(0, len(body), _PIECE_BYTES))
