"""One lab in containers for the whole session."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.containers.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Every service from freshly built images, healthy, with two Locust workers."""
    stack = Stack(f"lab-e2e-{os.getpid()}", tmp_path_factory.mktemp("state"))
    try:
        stack.compose("build", "--quiet")
        stack.up(stack.services(), "--scale", "locust-worker=2")
        yield stack
    finally:
        stack.close()
    assert stack.leftovers() == ""
