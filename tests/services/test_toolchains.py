"""The tests that rows in other languages bring along, run by their own tools."""

from __future__ import annotations

import subprocess

import pytest

from loadtest.inventory import builds, manifest

COMMANDS = {"node": ("node", "--test"), "go": ("go", "test", "./...")}
ROWS = manifest.load()


@pytest.mark.parametrize("name", [each for each in COMMANDS if not builds.missing(ROWS[each])])
def test_the_rows_own_tests_pass(name: str) -> None:
    row = ROWS[name]
    builds.build(row)
    done = subprocess.run(
        COMMANDS[name], cwd=row.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
