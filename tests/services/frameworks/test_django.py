"""How Django's connections are held and given back, over WSGI and over ASGI."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtest.backends.native import Lab
from loadtest.inventory.manifest import Service
from tests.services.holding import Busy, ask, asked, asked_again, held
from tests.waiting import eventually

SERVICES = ("django-gthread", "django-asgi")


@pytest.fixture
def database(lab: Lab) -> Iterator[psycopg.Connection]:
    with psycopg.connect(lab.database_url, autocommit=True) as connection:
        yield connection


def metric(service: Service, name: str, **labels: str) -> float:
    """The value of one series on the service's metrics port."""
    with urllib.request.urlopen(service.metrics_url(), timeout=20) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    samples = (sample for family in families for sample in family.samples)
    return sum(s.value for s in samples if s.name == name and s.labels.items() >= labels.items())


def test_async_views_wait_at_once_up_to_the_pool(lab: Lab, database: psycopg.Connection) -> None:
    service = lab.services["django-asgi"]
    busy, about = Busy(database, service), json.loads(ask(service, "/about").body)
    with held(service, about["slots"] + 10, lab.database_url) as answers:
        assert busy.reaches(about["pool_size"])
        assert not busy.exceeds(about["pool_size"])
        used = about["slots"]
        assert eventually(
            lambda: metric(service, "db_client_connection_count", state="used") == used
        )
    assert {answer.result().status for answer in answers} == {200}


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("target", ["/items/1", "/items/99999", "/items?limit=0", "/nope"])
def test_a_request_gives_its_connection_back(lab: Lab, name: str, target: str) -> None:
    service = lab.services[name]
    with asked(service, target, 4):
        pass
    assert eventually(lambda: metric(service, "db_client_connection_count", state="used") == 0)
    assert eventually(lambda: metric(service, "lab_slots_busy") == 0)


def test_an_async_view_fans_out_in_turn_too(lab: Lab, database: psycopg.Connection) -> None:
    service = lab.services["django-asgi"]
    with asked_again(service, "/fanout?n=4&ms=200"):
        busy = Busy(database, service)
        assert busy.reaches(1)
        assert not busy.exceeds(1)


@pytest.mark.parametrize("name", SERVICES)
def test_a_query_without_end_of_parameters_is_answered(lab: Lab, name: str) -> None:
    """Django refuses over 1,000 parameters unless told otherwise."""
    target = "/wait?ms=0" + "&a=" * 1_100
    assert ask(lab.services[name], target).status == 200
