"""Every service that can run here, one test each."""

from __future__ import annotations

import http.client
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from loadtest.backends.native import Lab
from loadtest.contract.conformance import Client
from loadtest.inventory import builds, manifest
from loadtest.inventory.manifest import VALIDATION, Service
from loadtest.system import ports
from tests.running import Running

_DECLARED = manifest.load()
_WANTED = os.environ.get("LAB_TEST_SERVICES", "").split() or list(_DECLARED)
NAMES = list(builds.available(manifest.choose(_DECLARED, _WANTED))[0])
# Gunicorn's sync worker ends every connection after one answer.
WITHOUT_KEEP_ALIVE = {"flask-sync"}
# What the application alone decides is not asked again of each server that it runs under.
APPLICATIONS = [
    name
    for name in NAMES
    if "servers" not in _DECLARED[name].profiles or "LAB_TEST_SERVICES" in os.environ
]
# Other applications of one framework and server: what those two alone decide is not asked again.
ALIKE = {
    *("fastapi-sync", "fastapi-blocking", "fastapi-processpool"),  # as fastapi-async
    *("flask-pydantic", "flask-unchecked"),  # as flask-gthread
}
SERVERS = [name for name in NAMES if name not in ALIKE or "LAB_TEST_SERVICES" in os.environ]
UNCHECKED = [name for name in NAMES if VALIDATION in _DECLARED[name].leaves_out]

Start = Callable[
    [Service, Mapping[str, str]], AbstractContextManager[tuple[Service, subprocess.Popen[bytes]]]
]


@pytest.fixture(params=NAMES)
def service(request: pytest.FixtureRequest, lab: Lab) -> Service:
    """A running service."""
    return lab.services[request.param]


@pytest.fixture(scope="module")
def database(lab: Lab) -> Iterator[psycopg.Connection]:
    with psycopg.connect(lab.database.full_url, autocommit=True) as connection:
        yield connection


def written(database: psycopg.Connection) -> tuple[int, int]:
    """How many orders and lines there are."""
    found = database.execute(
        "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_lines)"
    ).fetchone()
    assert found is not None
    return found[0], found[1]


@pytest.fixture
def start(lab: Lab, tmp_path: Path) -> Start:
    """Starts one more of a service on ports of its own, with an environment over the
    declared one.
    """

    def started(
        service: Service, environment: Mapping[str, str]
    ) -> AbstractContextManager[tuple[Service, subprocess.Popen[bytes]]]:
        return another(lab, service, environment, tmp_path / f"{service.name}.log")

    return started


def declared(lab: Lab, name: str) -> Service:
    """A service of the lab, which need not run."""
    assert isinstance(lab.services, Running)
    return lab.services.declared(name)


def status(service: Service, path: str) -> int:
    """The status of a GET, 0 where nobody answers."""
    try:
        with Client(service.url()) as client:
            return client.send("GET", path).status
    except (OSError, http.client.HTTPException):
        return 0


def ready(service: Service) -> bool:
    return status(service, "/readyz") == 200


@contextmanager
def another(
    lab: Lab, service: Service, environment: Mapping[str, str], log: Path
) -> Iterator[tuple[Service, subprocess.Popen[bytes]]]:
    """One more of a service on ports of its own, until the block ends."""
    builds.build(service)
    with ports.held(2) as (port, metrics_port), log.open("wb") as output:
        own = replace(service, port=port, metrics_port=metrics_port)
        process = subprocess.Popen(
            own.command,
            cwd=own.folder,
            env=lab.environment(own) | dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield own, process
        finally:
            process.terminate()
            process.wait(30)
