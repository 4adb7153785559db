"""PgBouncer between services and Postgres, or one line that says why it can't be."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import psycopg
import pytest

from loadtest.backends.base import POOLER
from loadtest.backends.native import Lab
from loadtest.backends.pooler import pgbouncer
from loadtest.backends.pooler.pgbouncer import PoolerError
from loadtest.inventory import manifest
from loadtest.system import urls
from tests.waiting import eventually, gone

SERVICES = manifest.choose(manifest.load(), ["fastapi-async", "flask-gthread"])


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two services behind a pooler that has three connections for each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POOLER", "pgbouncer")
        patch.setenv("POOLER_SIZE", "3")
        state = tmp_path_factory.mktemp("pooled")
        with Lab(SERVICES, host_ports="free", state=state, pin=False) as lab:
            yield lab


def password(lab: Lab) -> str:
    return lab.database.password_file.read_text().strip()


def url(lab: Lab, name: str) -> str:
    return lab.environment(lab.services[name])["DATABASE_URL"]


def at_once(lab: Lab, name: str, asked: int) -> int:
    """The most queries of a service that Postgres has in hand while so many wait."""
    active = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND state = 'active'"
    )
    wait = f"{lab.services[name].url()}/wait?ms=300"
    with ThreadPoolExecutor(asked) as pool, psycopg.connect(lab.database.full_url) as connection:
        connection.autocommit = True
        asking = [pool.submit(urls.read, wait, 30.0) for _ in range(asked)]
        most = 0
        while not all(each.done() for each in asking):
            found = connection.execute(active, [name]).fetchone()
            assert found is not None
            most = max(most, found[0])
        assert all(each.result() for each in asking)
    return most


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_as_many_connections_as_the_pooler_and_no_more(
    pooled: Lab, name: str
) -> None:
    assert url(pooled, name).endswith(f"/{name}")
    assert at_once(pooled, name, 12) == 3


def test_a_level_says_how_many_there_are_or_that_there_is_no_pooler(pooled: Lab) -> None:
    pooled.restart("fastapi-async", {"POOLER_SIZE": "5"})
    assert at_once(pooled, "fastapi-async", 12) == 5
    pooled.restart("fastapi-async", {"POOLER_SIZE": "0"})
    # On a busy machine the first may have their answers before the last begin.
    assert eventually(lambda: at_once(pooled, "fastapi-async", 12) == 12)
    pooled.restart("fastapi-async")
    assert at_once(pooled, "fastapi-async", 12) == 3


async def ask(address: str, secret: str, times: int) -> list[int]:
    pool = await asyncpg.create_pool(address, password=secret, min_size=8, max_size=8)
    async with pool:
        asked = (pool.fetchval("SELECT $1::int", number) for number in range(times))
        return list(await asyncio.gather(*asked))


def test_prepared_statements_work_on_whichever_connection_comes(pooled: Lab) -> None:
    secret, address = password(pooled), url(pooled, "fastapi-async")
    assert asyncio.run(ask(address, secret, 64)) == list(range(64))
    with psycopg.connect(address, password=secret, autocommit=True, prepare_threshold=0) as one:
        for number in range(8):
            assert one.execute("SELECT %s + 1", [number]).fetchone() == (number + 1,)


def test_nobody_gets_in_without_the_password(pooled: Lab) -> None:
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(url(pooled, "flask-gthread"), password="guess")


def test_its_process_is_the_labs_and_never_root(pooled: Lab) -> None:
    pid = pooled.roots()[POOLER]
    assert Path(f"/proc/{pid}").stat().st_uid != 0 or os.geteuid() != 0


def test_nothing_is_left_of_it_and_without_a_pooler_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POOLER", raising=False)
    one = {"fastapi-async": SERVICES["fastapi-async"]}
    with Lab(one, host_ports="free", state=tmp_path, pin=False) as lab:
        assert POOLER not in lab.roots()
        lab.restart("fastapi-async", {"POOLER_SIZE": "2"})
        pid = lab.roots()[POOLER]
    assert gone(pid)


def program(folder: Path, said: str) -> Path:
    path = folder / "pgbouncer"
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "said", ["PgBouncer 1.21.0", "PgBouncer 1.24.1\nlibevent 2.1", "PgBouncer 2.0rc1"]
)
def test_a_version_that_knows_prepared_statements_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    program(tmp_path, said)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert pgbouncer.require() in said


@pytest.mark.parametrize("said", ["PgBouncer 1.18.0", "PgBouncer 1.9", "", "no version of mine"])
def test_one_that_will_not_do_is_told_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    path = program(tmp_path, said)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(PoolerError, match=r"prepared statements need 1\.21; install") as raised:
        pgbouncer.require()
    assert str(raised.value).startswith(f"{path} is ")
    assert "\n" not in str(raised.value)


def test_where_there_is_none_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pgbouncer, "_BESIDE_PATH", ())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PoolerError, match=r"^PgBouncer is not installed; .*apt install pgbouncer"):
        pgbouncer.require()
