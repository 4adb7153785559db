"""What gunicorn's three workers make of one Flask application."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator

import psycopg
import pytest

from loadtest.backends.native import Lab
from loadtest.inventory.manifest import Service
from tests.services.holding import Busy, ask, asked_again, held

JSON = {"Content-Type": "application/json"}
BROKEN_CHUNKS = (
    b"POST /orders HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"
)
ANNOUNCED = (
    b"POST /orders HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000000\r\n\r\n"
)
UNDER_GUNICORN = ("flask-sync", "flask-gthread", "flask-gevent", "django-gthread")


@pytest.fixture
def database(lab: Lab) -> Iterator[psycopg.Connection]:
    with psycopg.connect(lab.database_url, autocommit=True) as connection:
        yield connection


def kept_connection(service: Service) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)


def test_one_gevent_worker_waits_for_many_queries_at_once(
    lab: Lab, database: psycopg.Connection
) -> None:
    service = lab.services["flask-gevent"]
    busy, slots = Busy(database, service), json.loads(ask(service, "/about").body)["slots"]
    with held(service, slots + 10, lab.database_url) as answers:
        assert busy.reaches(slots)
        assert not busy.exceeds(slots)
    assert {answer.result().status for answer in answers} == {200}


def test_gevent_fans_out_at_once(lab: Lab, database: psycopg.Connection) -> None:
    service = lab.services["flask-gevent"]
    with asked_again(service, "/fanout?n=8&ms=1000"):
        assert Busy(database, service).reaches(8)


def test_a_thread_fans_out_in_turn(lab: Lab, database: psycopg.Connection) -> None:
    service = lab.services["flask-gthread"]
    with asked_again(service, "/fanout?n=4&ms=200"):
        busy = Busy(database, service)
        assert busy.reaches(1)
        assert not busy.exceeds(1)


@pytest.mark.parametrize("name", ["flask-gthread", "flask-gevent", "django-gthread"])
@pytest.mark.parametrize(
    ("method", "target", "content_type", "status"),
    [
        ("POST", "/orders", "application/json", 413),
        ("POST", "/orders", "text/plain", 415),
        ("PUT", "/orders", "application/json", 405),
        ("POST", "/nope", "application/json", 404),
    ],
)
def test_a_refused_body_leaves_the_connection_usable(
    lab: Lab, name: str, method: str, target: str, content_type: str, status: int
) -> None:
    connection = kept_connection(lab.services[name])
    chunks = iter([b" " * 65_536] * 16)
    headers = {"Content-Type": content_type}
    connection.request(method, target, chunks, headers, encode_chunked=True)
    refused = connection.getresponse()
    refused.read()
    assert refused.status == status
    same = connection.sock
    connection.request("GET", "/json")
    assert connection.getresponse().read()
    assert connection.sock is same
    connection.close()


@pytest.mark.parametrize("name", UNDER_GUNICORN)
def test_a_large_body_that_never_comes_is_refused_all_the_same(lab: Lab, name: str) -> None:
    with socket.create_connection(("127.0.0.1", lab.services[name].port), timeout=20) as client:
        client.sendall(ANNOUNCED)
        assert client.recv(65_536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("name", UNDER_GUNICORN)
def test_malformed_chunks_are_the_clients_fault(lab: Lab, name: str) -> None:
    with socket.create_connection(("127.0.0.1", lab.services[name].port), timeout=20) as client:
        client.sendall(BROKEN_CHUNKS)
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"malformed"' in answer


@pytest.mark.parametrize("name", UNDER_GUNICORN)
def test_only_the_sync_worker_closes_after_each_answer(lab: Lab, name: str) -> None:
    connection = kept_connection(lab.services[name])
    connection.request("GET", "/plaintext")
    answer = connection.getresponse()
    answer.read()
    closes = answer.headers["Connection"] == "close"
    connection.close()
    assert closes == (name == "flask-sync")


@pytest.mark.parametrize("name", UNDER_GUNICORN)
def test_every_worker_knows_a_session_that_another_has_signed(lab: Lab, name: str) -> None:
    service = lab.services[name]
    connection = kept_connection(service)
    connection.request("POST", "/session", json.dumps({"username": "ann"}), JSON)
    cookie = connection.getresponse().headers["Set-Cookie"].partition(";")[0]
    connection.close()
    for _ in range(12):
        connection = kept_connection(service)
        connection.request("GET", "/me", headers={"Cookie": cookie})
        assert json.loads(connection.getresponse().read()) == {"username": "ann"}
        connection.close()
