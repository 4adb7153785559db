"""Every service answers every request of the contract, good or bad, as the contract says."""

from __future__ import annotations

import json
import socket
import urllib.request

import psycopg
import pytest

from loadtest.contract import conformance
from loadtest.contract.body_cases import cases
from loadtest.contract.conformance import Client
from loadtest.inventory.manifest import Service
from tests.conformance.conftest import UNCHECKED, Start, status, written
from tests.waiting import eventually

MALFORMED = """
    SELECT orders.id FROM orders LEFT JOIN order_lines ON order_lines.order_id = orders.id
    GROUP BY orders.id
    HAVING count(order_lines.line) NOT BETWEEN 1 AND 500
        OR total_cents <> sum(quantity * order_lines.price_cents)
        OR max(quantity) > 1000 OR min(quantity) < 1 OR length(note) > 500
"""
JSON = {"Content-Type": "application/json"}


def test_service_keeps_the_contract(service: Service) -> None:
    declared = {"service": service.name, "framework": service.framework, "model": service.model}
    assert conformance.check(service.url(), declared, service.leaves_out) == []


@pytest.mark.parametrize("service", UNCHECKED, indirect=True)
def test_what_a_service_leaves_out_is_left_out_and_nothing_else(service: Service) -> None:
    wrong = conformance.check(service.url())
    assert wrong
    assert all(failure.startswith("POST /orders (") for failure in wrong), wrong


def test_refused_orders_write_nothing(service: Service, database: psycopg.Connection) -> None:
    before = written(database)
    with Client(service.url()) as client:
        for case in cases():
            refused = case.status >= 400 and case.part not in service.leaves_out
            if case.target == "/orders" and case.method == "POST" and refused:
                headers = {"Content-Type": case.content_type} if case.content_type else {}
                client.send("POST", "/orders", case.body, headers, chunked=case.chunked)
    assert written(database) == before


@pytest.mark.parametrize("service", UNCHECKED, indirect=True)
def test_orders_that_nobody_checks_are_refused_or_written_right(
    service: Service, database: psycopg.Connection
) -> None:
    asked = [case.body for case in cases() if case.part in service.leaves_out]
    for part in (1.5, 1e300, -1.5):
        lines = [{"item_id": 1, "quantity": part}, {"item_id": 2, "quantity": 1}]
        asked.append(json.dumps({"customer_id": 1, "lines": lines}).encode())
    with Client(service.url()) as client:
        for body in asked:
            client.send("POST", "/orders", body, JSON)
        assert client.send("GET", "/items/1").status == 200
    assert database.execute(MALFORMED).fetchall() == []


def test_order_that_is_cut_short_writes_nothing(
    service: Service, database: psycopg.Connection
) -> None:
    """What came would do as an order, but the client had announced more."""
    order = b'{"customer_id": 1, "lines": [{"item_id": 1, "quantity": 1}]}'
    head = (
        b"POST /orders HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n"
    )
    before = written(database)
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        client.sendall(head + order)
        client.shutdown(socket.SHUT_WR)
        answer = client.makefile("rb").read()
    # uvicorn has no answer for a client that has hung up. Hypercorn's own has no body: the
    # application never saw the request.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert b'"malformed"' in answer or answer.partition(b"\r\n\r\n")[2] == b""
    assert written(database) == before


def test_order_that_fails_half_way_leaves_nothing(
    service: Service, database: psycopg.Connection
) -> None:
    order = {"customer_id": 1, "lines": [{"item_id": 1, "quantity": 777}]}
    before = written(database)
    database.execute("ALTER TABLE order_lines ADD CONSTRAINT cut CHECK (quantity <> 777)")
    try:
        with Client(service.url()) as client:
            answer = client.send("POST", "/orders", json.dumps(order).encode(), JSON)
    finally:
        database.execute("ALTER TABLE order_lines DROP CONSTRAINT cut")
    assert answer.status >= 500
    assert json.loads(answer.body)["error"]["code"] in ("internal", "unavailable")
    assert written(database) == before


def test_defect_is_answered_and_counted(
    service: Service, start: Start, database: psycopg.Connection
) -> None:
    """With metrics off as well: counting may sit where a framework catches what nobody caught."""
    database.execute("ALTER TABLE items RENAME TO mislaid")
    try:
        with start(service, {"LAB_METRICS": "off", "WORKERS": "1"}) as (uncounted, _):
            assert eventually(lambda: status(uncounted, "/healthz") == 200)
            found = [failure(each) for each in (service, uncounted)]
    finally:
        database.execute("ALTER TABLE mislaid RENAME TO items")
    assert found == [(500, "internal")] * 2
    assert eventually(lambda: counts_failed_lists(service))


def failure(service: Service) -> tuple[int, str]:
    """Status and code with which the list of items is refused."""
    with Client(service.url()) as client:
        answer = client.send("GET", "/items")
    return answer.status, json.loads(answer.body)["error"]["code"]


def counts_failed_lists(service: Service) -> bool:
    with urllib.request.urlopen(service.metrics_url(), timeout=20) as answer:
        lines = str(answer.read(), "ascii").splitlines()
    return any('status_code="500"' in line and 'route="/items"' in line for line in lines)


def test_order_is_written_as_it_was_sent(service: Service, database: psycopg.Connection) -> None:
    lines = [
        {"item_id": 3, "quantity": 2},
        {"item_id": 5, "quantity": 7},
        {"item_id": 3, "quantity": 1},
    ]
    order = {"customer_id": 42, "lines": lines, "note": "Grüße 😀"}
    with Client(service.url()) as client:
        answer = client.send("POST", "/orders", json.dumps(order).encode(), JSON)
    number = json.loads(answer.body)["id"]
    stored = database.execute(
        "SELECT customer_id, note, total_cents FROM orders WHERE id = %s", [number]
    ).fetchone()
    assert stored == (42, "Grüße 😀", json.loads(answer.body)["total_cents"])
    kept = database.execute(
        "SELECT item_id, quantity FROM order_lines WHERE order_id = %s ORDER BY line", [number]
    ).fetchall()
    assert kept == [(line["item_id"], line["quantity"]) for line in lines]
