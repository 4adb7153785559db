"""One lab in containers for the whole session."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.containers import remains
from tests.containers.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Every service from freshly built images, healthy, with four Locust workers.

    Its passwords lie where those of `make up` do, so that an image which takes them in shows it.
    """
    remains.clear()
    name = remains.name_of(os.getpid())
    stack = Stack(name, remains.STATES / name)
    try:
        stack.compose("build", "--quiet")
        stack.up(stack.services(), "--scale", "locust-worker=4")
        yield stack
    finally:
        stack.close()
        shutil.rmtree(remains.STATES / name)
    assert stack.leftovers() == ""
