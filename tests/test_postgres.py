"""The embedded Postgres: seeded as the container is, closed to others, never left behind."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from loadtest import postgres
from loadtest.native import Lab
from loadtest.ports import PortError
from loadtest.postgres import Database, PostgresError
from loadtest.processes import Processes
from tests.waiting import gone


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("postgres")


@pytest.fixture(scope="module")
def database(state: Path) -> Iterator[Database]:
    with Lab({}, host_ports="free", state=state, pin=False) as lab:
        yield lab.database


def query(database: Database, sql: str) -> tuple[object, ...]:
    with psycopg.connect(database.full_url) as connection:
        row = connection.execute(sql).fetchone()
        assert row is not None
        return row


def test_it_has_the_schema_and_the_seed(database: Database) -> None:
    assert query(database, "SELECT count(*) FROM items") == (10_000,)


def test_it_allows_as_many_connections_as_the_container(database: Database) -> None:
    assert query(database, "SHOW max_connections") == ("600",)


def test_seeding_again_changes_nothing(database: Database) -> None:
    counts = "SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM customers)"
    before = query(database, counts)
    postgres.seed(database)
    assert query(database, counts) == before


def test_nobody_gets_in_without_the_password(database: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(database.url, password="guess")
    assert stat.S_IMODE(database.password_file.stat().st_mode) == 0o600


def test_it_does_not_run_as_root(database: Database) -> None:
    assert Path(f"/proc/{database.process.pid}").stat().st_uid != 0 or os.geteuid() != 0


def test_data_outlives_the_server(tmp_path: Path) -> None:
    with Lab({}, host_ports="free", state=tmp_path, pin=False) as lab:
        first = lab.database
        with psycopg.connect(first.full_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert gone(first.process.pid)
    with Lab({}, host_ports="free", state=tmp_path, pin=False) as lab:
        assert query(lab.database, "SELECT answer FROM kept") == (42,)


def test_a_half_made_folder_is_made_anew(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    (data / "base").mkdir(parents=True)
    with Lab({}, host_ports="free", state=tmp_path, pin=False) as lab:
        assert query(lab.database, "SELECT 1") == (1,)


def test_broken_sql_is_told_with_its_place(database: Database, tmp_path: Path) -> None:
    (tmp_path / "01-broken.sql").write_text("SELECT 1;\nSELEKT 2;\n")
    with pytest.raises(PostgresError, match=r"01-broken.sql failed: .*:2: .*SELEKT"):
        postgres.seed(database, tmp_path)


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as holder, Processes() as processes:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(PortError, match=rf"port {port}, which Postgres.*LAB_POSTGRES_PORT"):
            postgres.start(processes, tmp_path, port=port)
