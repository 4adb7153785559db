from __future__ import annotations

import itertools
import json

import pytest

from loadtest.contract import catalogue, scenarios
from loadtest.contract.scenarios import SCENARIOS, ScenarioError, parse_parameters
from loadtest.engine.http1.head import parse_head
from loadtest.engine.http1.responses import Response
from loadtest.engine.request import Request


def first(scenario: str, **parameters: int) -> Request:
    chosen = scenarios.choose(scenario)
    return next(chosen.traffic("127.0.0.1:8001", chosen.filled(parameters), 1)())


def answer(value: object, status: int = 200, headers: str = "") -> Response:
    head = parse_head(f"HTTP/1.1 {status} X\r\n{headers}Content-Length: 1".encode())
    return Response(head, value if isinstance(value, bytes) else json.dumps(value).encode())


def page(*ids: int, limit: int = 2, offset: int = 0) -> dict[str, object]:
    return {"items": [catalogue.item(i) for i in ids], "limit": limit, "offset": offset}


def ordered(request: Request) -> dict[str, int]:
    """What a right service answers to an order."""
    lines = json.loads(request.data.partition(b"\r\n\r\n")[2])["lines"]
    total = sum(catalogue.item(each["item_id"])["price_cents"] * each["quantity"] for each in lines)
    return {"id": 7, "total_cents": total}


@pytest.mark.parametrize(
    ("request_", "right"),
    [
        (first("plaintext"), answer(b"Hello, World!")),
        (first("json"), answer(b'{ "message" : "Hello, World!" }')),
        (first("items", limit=2), answer(page(1, 2))),
        (first("order"), answer(ordered(first("order")), 201)),
        (
            first("order", lines=4, invalid=1),
            answer(
                {
                    "error": {
                        "code": "invalid",
                        "message": "no",
                        "fields": [{"field": "lines.3.quantity", "message": "too small"}],
                    }
                },
                422,
            ),
        ),
        (first("wait", ms=20), answer({"ms": 20})),
        (first("fanout", n=3, ms=5), answer({"n": 3, "ms": 5})),
        (first("cpu", n=2), answer({"n": 2, "result": 48271 * 48271 % 2147483647})),
        (first("cpu", n=0), answer({"n": 0, "result": 1})),
        (
            first("me", cookie=0),
            answer({"error": {"code": "unauthorized", "message": "no", "fields": []}}, 401),
        ),
        (first("session"), answer({"username": "?"}, 201, "Set-Cookie: session=x; Path=/\r\n")),
    ],
    ids=lambda each: each.name if isinstance(each, Request) else "",
)
def test_the_right_answer_passes_and_any_other_is_named(request_: Request, right: Response) -> None:
    if request_.path == "/session":
        sent = json.loads(request_.data.partition(b"\r\n\r\n")[2])
        right = Response(right.head, json.dumps(sent).encode())
    assert request_.check(right) == ""
    assert request_.check(answer({"error": {}}, 503)) == "status 503"
    for wrong in (b"", b"null", b"{}", b"[]", b"\xff", b"[" * 100_000, right.body[:-1] + b","):
        assert request_.check(Response(right.head, wrong)) == "wrong body"


@pytest.mark.parametrize(
    "wrong", [page(1), page(2, 1), page(1, 2, limit=3), page(1, 2, offset=1), page(1, 2) | {"x": 1}]
)
def test_a_page_with_other_services_is_wrong(wrong: object) -> None:
    assert first("items", limit=2).check(answer(wrong)) == "wrong body"


def test_an_order_with_a_wrong_total_is_wrong() -> None:
    right = ordered(first("order"))
    for wrong in ({"total_cents": right["total_cents"] + 1}, {"id": 0}, {"id": "7"}, {"x": 1}):
        assert first("order").check(answer(right | wrong, 201)) == "wrong body"


def test_an_empty_page_where_services_are_due_is_wrong() -> None:
    assert first("items").check(answer({"items": [], "limit": 20, "offset": 0})) == "wrong body"


def test_a_login_without_a_cookie_is_wrong() -> None:
    login = first("session")
    user = json.loads(login.data.partition(b"\r\n\r\n")[2])
    assert login.check(answer(user, 201)) == "no session cookie"


def test_a_session_goes_on_with_its_cookie_and_starts_over_after_a_failure() -> None:
    chosen = scenarios.choose("session")
    steps = chosen.traffic("h", {}, 1)()
    login, cookie = next(steps), "Set-Cookie: session=abc; HttpOnly\r\n"
    assert login.keep
    login.keep(answer({}, 201, cookie))
    me = next(steps)
    assert (me.name, b"Cookie: session=abc\r\n" in me.data) == ("GET /me", True)
    assert me.keep
    me.keep(answer({}))
    log_out = next(steps)
    assert log_out.name == "DELETE /session"
    assert log_out.check(answer(b"", 204)) == ""
    assert next(steps).name == "POST /session"
    assert next(steps).name == "POST /session"  # the login before was never answered


def test_a_kept_session_logs_in_once_and_then_asks_with_its_cookie() -> None:
    steps = scenarios.choose("me").traffic("h", {"cookie": 1}, 1)()
    login, again = next(steps), next(steps)
    assert (login.name, again.name) == ("POST /session",) * 2  # the first was never answered
    user = json.loads(again.data.partition(b"\r\n\r\n")[2])
    assert again.keep
    again.keep(answer(user, 201, "Set-Cookie: session=abc; HttpOnly\r\n"))
    asked = [next(steps) for _ in range(3)]
    assert {each.name for each in asked} == {"GET /me"}
    assert all(b"Cookie: session=abc\r\n" in each.data for each in asked)
    assert asked[0].check(answer(user)) == ""
    assert asked[0].check(answer({"username": "another"})) == "wrong body"


def test_each_connection_has_a_user_of_its_own() -> None:
    traffic = scenarios.choose("me").traffic("h", {"cookie": 1}, 1)
    assert len({next(traffic()).data for _ in range(20)}) == 20


@pytest.mark.parametrize("scenario", ["item", "order", "mixed"])
def test_the_seed_decides_what_is_drawn(scenario: str) -> None:
    chosen = scenarios.choose(scenario)

    def drawn(seed: int) -> list[bytes]:
        traffic = chosen.traffic("h", chosen.filled({}), seed)
        return [request.data for request in itertools.islice(traffic(), 150)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_connections_share_one_set_so_that_none_is_drawn_more_often() -> None:
    traffic = scenarios.choose("item").traffic("h", {}, 1)
    one, two = traffic(), traffic()
    seen = [next(each).data for _ in range(50) for each in (one, two)]
    assert len(set(seen)) == 100


def test_parameters_have_bounds() -> None:
    for scenario in SCENARIOS.values():
        for parameter in scenario.parameters:
            assert scenario.filled({parameter.name: parameter.minimum})
            with pytest.raises(ScenarioError, match=f"{parameter.name}=.* out of bounds, give"):
                scenario.filled({parameter.name: parameter.maximum + 1})


def test_what_does_not_exist_is_listed() -> None:
    with pytest.raises(ScenarioError, match="unknown scenario 'jsn'; there are: plaintext, json"):
        scenarios.choose("jsn")
    with pytest.raises(ScenarioError, match="unknown parameter 'n'; it takes: ms"):
        scenarios.choose("wait").filled({"n": 1})
    with pytest.raises(ScenarioError, match="it takes: none"):
        scenarios.choose("json").filled({"n": 1})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        (" ms=5 ", {"ms": 5}),
        ("n=1,ms=2", {"n": 1, "ms": 2}),
        ("n=1  ms=-2", {"n": 1, "ms": -2}),
    ],
)
def test_parameters_as_text(text: str, found: dict[str, int]) -> None:
    assert parse_parameters(text) == found


@pytest.mark.parametrize("text", ["ms", "ms=", "ms=1.5", "=3", "ms=1;n=2", "ms==1"])
def test_parameters_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ScenarioError, match="name=number"):
        parse_parameters(text)


def test_slot_seconds() -> None:
    wait, fanout = scenarios.choose("wait"), scenarios.choose("fanout")
    assert wait.latency_s(wait.filled({"ms": 100})) == 0.1
    assert wait.latency_s(wait.filled({"ms": 0})) is None
    assert fanout.latency_s(fanout.filled({"n": 4, "ms": 50})) == 0.2
    assert scenarios.choose("json").latency_s({}) is None
