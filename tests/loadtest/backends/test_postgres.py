"""The embedded Postgres: seeded as the container is, closed to others, never left behind."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from loadtest.backends import native, postgres
from loadtest.backends.native import Lab
from loadtest.backends.postgres import Database, PostgresError
from loadtest.system.ports import PortError, held
from loadtest.system.processes import ProcessError, Processes
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
        service = connection.execute(sql).fetchone()
        assert service is not None
        return service


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


@pytest.fixture(scope="module")
def monitor(database: Database) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A session of the role that postgres_exporter has."""
    with psycopg.connect(database.full_url) as connection:
        connection.execute("ALTER ROLE monitor PASSWORD 'of this test'")
    with psycopg.connect(
        database.url, user="monitor", password="of this test", autocommit=True
    ) as connection:
        yield connection


@pytest.mark.parametrize(
    "statistics",
    [
        "SELECT query FROM pg_stat_activity WHERE usename = 'lab' AND query <> ''",
        "SELECT xact_commit FROM pg_stat_database WHERE datname = 'lab'",
        "SELECT relname FROM pg_stat_user_tables WHERE n_live_tup > 0",
        "SELECT mode FROM pg_locks",
        "SELECT setting FROM pg_settings WHERE name = 'max_connections'",
    ],
)
def test_who_monitors_sees_statistics(
    database: Database, monitor: psycopg.Connection[tuple[object, ...]], statistics: str
) -> None:
    with psycopg.connect(database.full_url) as watched:
        watched.execute("SELECT 'a statement of the lab'")
        found = monitor.execute(statistics).fetchone()
    assert found
    assert found != ("<insufficient privilege>",)


@pytest.mark.parametrize("table", ["items", "customers", "orders", "order_lines"])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM {}",
        "TABLE {}",
        "INSERT INTO {} DEFAULT VALUES",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "DO 'BEGIN LOCK TABLE {}; END'",
        "COPY {} TO STDOUT",
    ],
)
def test_who_monitors_reaches_no_service_of_the_lab(
    monitor: psycopg.Connection[tuple[object, ...]], statement: str, table: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        monitor.execute(statement.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE items SET stock = stock",
        "CREATE TABLE note (text text)",
        "CREATE TEMPORARY TABLE note (text text)",
        "CREATE SCHEMA notes",
        "CREATE ROLE friend",
        "CREATE DATABASE notes",
        "SELECT lo_create(0)",
        "SELECT lo_creat(-1)",
        "SELECT lo_from_bytea(0, 'note')",
        "COPY (SELECT 'note') TO PROGRAM 'cat'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'lab'",
        "ALTER SYSTEM SET fsync = off",
    ],
)
def test_who_monitors_changes_nothing(
    database: Database, monitor: psycopg.Connection[tuple[object, ...]], statement: str
) -> None:
    with psycopg.connect(database.full_url), pytest.raises(psycopg.errors.InsufficientPrivilege):
        monitor.execute(statement)


def test_who_monitors_never_holds_the_server_up(
    database: Database, monitor: psycopg.Connection[tuple[object, ...]]
) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
        monitor.execute("SELECT pg_sleep(10)")
    logins = "SELECT rolname FROM pg_roles WHERE rolcanlogin ORDER BY rolname"
    with psycopg.connect(database.full_url) as connection:
        assert connection.execute(logins).fetchall() == [("lab",), ("monitor",)]
    limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'monitor'"
    assert query(database, limit) == (5,)


def test_data_outlives_the_server(tmp_path: Path) -> None:
    with Lab({}, host_ports="free", state=tmp_path, pin=False) as lab:
        first = lab.database
        with psycopg.connect(first.full_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert gone(first.process.pid)
    with Lab({}, host_ports="free", state=tmp_path, pin=False) as lab:
        assert query(lab.database, "SELECT answer FROM kept") == (42,)


def test_data_of_an_older_schema_is_made_anew(tmp_path: Path) -> None:
    seeds, state = tmp_path / "seeds", tmp_path / "state"
    shutil.copytree(postgres.SEEDS, seeds)
    schema = seeds / "01-schema.sql"
    schema.write_text(schema.read_text().replace(" CHECK (quantity BETWEEN 1 AND 1000)", ""))
    older = "INSERT INTO order_lines VALUES (1, 2, 1, 5000, 1) RETURNING quantity"
    with held(1) as (port,), Processes() as processes:
        assert query(postgres.start(processes, state, port=port, seeds=seeds), older) == (5000,)
    with held(1) as (port,), Processes() as processes:
        database = postgres.start(processes, state, port=port)
        with pytest.raises(psycopg.errors.CheckViolation, match="quantity"):
            query(database, older)
        assert query(database, "SELECT count(*) FROM order_lines") == (100,)


def test_data_that_a_server_runs_on_is_left_alone(database: Database, state: Path) -> None:
    (state / "postgres" / "lab-fingerprint").unlink()
    refused = pytest.raises(ProcessError, match=r"postmaster\.pid")
    with held(1) as (port,), Processes() as processes, refused:
        postgres.start(processes, state, port=port)
    assert query(database, "SELECT count(*) FROM items") == (10_000,)
    with pytest.raises(PostgresError, match=rf"a lab runs on {state} already.*LAB_STATE="):
        native.require(state)
    native.require(state / "another")


def test_a_half_made_folder_is_made_anew(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    (data / "base").mkdir(parents=True)
    with Lab({}, host_ports="free", state=tmp_path, pin=False) as lab:
        assert query(lab.database, "SELECT 1") == (1,)


def test_broken_sql_is_told_with_its_place(database: Database, tmp_path: Path) -> None:
    (tmp_path / "01-broken.sql").write_text("SELECT 1;\nSELEKT 2;\n")
    with pytest.raises(PostgresError, match=r"01-broken.sql failed: .*:2: .*SELEKT"):
        postgres.seed(database, tmp_path)


def test_a_taken_port_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        monkeypatch.setenv(postgres.POSTGRES_PORT_VARIABLE, str(port))
        with pytest.raises(PortError, match=rf"port {port}, which Postgres.*LAB_POSTGRES_PORT"):
            Lab({}, state=tmp_path).__enter__()
