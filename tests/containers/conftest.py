"""One lab in containers for the whole session."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.containers import remains
from tests.containers.stack import WORKERS, Stack, client_with_a_proxy, closed_clone

_whole: list[Stack] = []  # the session's, once it is up


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Every service from freshly built images, healthy, with four Locust workers.

    The clone is one that only its owner may read, and Docker's client gives every container a proxy
    that is not there.
    """
    remains.clear()
    name = remains.name_of(os.getpid())
    (remains.STATES / name).mkdir(parents=True)
    stack = Stack(name, closed_clone(remains.STATES / name / "clone"))
    try:
        # All of them, the pooler's too, while builds still reach the mirrors of packages.
        stack.compose("--profile", "*", "build", "--quiet")
        client = client_with_a_proxy(remains.STATES / name / "client")
        stack.variables["DOCKER_CONFIG"] = str(client)
        stack.up(stack.services(), *WORKERS)
        _whole.append(stack)
        yield stack
    finally:
        _whole.clear()
        stack.close()
        shutil.rmtree(remains.STATES / name)
    assert stack.leftovers() == ""


@pytest.fixture(autouse=True)
def whole_again(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that fails may leave a service stopped; that fails no other test."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        for stack in _whole:
            stack.renew()
