"""How Django's connections are held and given back, over WSGI and over ASGI."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtest.backends.native import Lab
from loadtest.inventory.manifest import Row
from tests.services.holding import Busy, ask, asked, asked_again, held
from tests.waiting import eventually

ROWS = ("django-gthread", "django-asgi")


@pytest.fixture
def database(lab: Lab) -> Iterator[psycopg.Connection]:
    with psycopg.connect(lab.database_url, autocommit=True) as connection:
        yield connection


def metric(row: Row, name: str, **labels: str) -> float:
    """The value of one series on the row's metrics port."""
    with urllib.request.urlopen(row.metrics_url(), timeout=20) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    samples = (sample for family in families for sample in family.samples)
    return sum(s.value for s in samples if s.name == name and s.labels.items() >= labels.items())


def test_async_views_wait_at_once_up_to_the_pool(lab: Lab, database: psycopg.Connection) -> None:
    row = lab.rows["django-asgi"]
    busy, about = Busy(database, row), json.loads(ask(row, "/about").body)
    with held(row, about["slots"] + 10, lab.database_url) as answers:
        assert busy.reaches(about["pool_size"])
        assert not busy.exceeds(about["pool_size"])
        used = about["slots"]
        assert eventually(lambda: metric(row, "db_client_connection_count", state="used") == used)
    assert {answer.result().status for answer in answers} == {200}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("target", ["/items/1", "/items/99999", "/items?limit=0", "/nope"])
def test_a_request_gives_its_connection_back(lab: Lab, name: str, target: str) -> None:
    row = lab.rows[name]
    with asked(row, target, 4):
        pass
    assert eventually(lambda: metric(row, "db_client_connection_count", state="used") == 0)
    assert eventually(lambda: metric(row, "lab_slots_busy") == 0)


def test_an_async_view_fans_out_in_turn_too(lab: Lab, database: psycopg.Connection) -> None:
    row = lab.rows["django-asgi"]
    with asked_again(row, "/fanout?n=4&ms=200"):
        busy = Busy(database, row)
        assert busy.reaches(1)
        assert not busy.exceeds(1)


@pytest.mark.parametrize("name", ROWS)
def test_a_query_without_end_of_parameters_is_answered(lab: Lab, name: str) -> None:
    """Django refuses over 1,000 parameters unless told otherwise."""
    target = "/wait?ms=0" + "&a=" * 1_100
    assert ask(lab.rows[name], target).status == 200
