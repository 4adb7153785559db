"""One native lab for the whole test session, on free ports and with a Postgres of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from loadtest import builds, manifest
from loadtest.native import Lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Every row that can run here; LAB_TEST_ROWS="a b" narrows it while working on a row."""
    rows = manifest.load()
    names = os.environ.get("LAB_TEST_ROWS", "").split() or list(rows)
    found, _ = builds.available(manifest.choose(rows, names))
    with Lab(found, host_ports="free", state=tmp_path_factory.mktemp("lab"), pin=False) as running:
        yield running
