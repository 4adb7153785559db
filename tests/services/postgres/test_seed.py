"""Schema and seed data."""

from __future__ import annotations

import psycopg
import pytest

from loadtest.backends import postgres
from loadtest.backends.native import Lab
from loadtest.contract import catalogue

TABLES = ("items", "customers", "orders", "order_lines")


@pytest.fixture
def database(lab: Lab) -> psycopg.Connection:
    return psycopg.connect(lab.database.full_url, autocommit=True)


def contents(database: psycopg.Connection) -> dict[str, tuple[object, ...] | None]:
    """A checksum of every table."""
    return {
        table: database.execute(
            f"SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t)) FROM {table} AS t"
        ).fetchone()
        for table in TABLES
    }


def test_seeding_again_changes_nothing(lab: Lab, database: psycopg.Connection) -> None:
    with database:
        before = contents(database)
        postgres.seed(lab.database)
        assert contents(database) == before


def test_items_are_those_that_the_checks_expect(database: psycopg.Connection) -> None:
    with database:
        found = database.execute(
            "SELECT id, name, description, price_cents, stock FROM items ORDER BY id"
        ).fetchall()
    assert len(found) == 10_000
    assert all(tuple(catalogue.item(row[0]).values()) == row for row in found)
