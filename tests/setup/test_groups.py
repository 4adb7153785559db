"""How `make test` shares tests out among processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.system.paths import ROOT
from tests.conftest import ASKING, SHARING, TESTS, group

FILE = """
import os, pathlib, pytest

@pytest.mark.parametrize("number", range(8))
def test_one(number):
    pathlib.Path(__file__ + "." + os.environ["PYTEST_XDIST_WORKER"]).touch()
"""


def test_one_process_has_a_whole_file(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import *")
    for name in ("one", "other"):
        (tmp_path / f"test_{name}.py").write_text(FILE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", "-n", "2", "."],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(each.stem for each in tmp_path.glob("*.gw?")) == ["test_one.py", "test_other.py"]


def test_what_asks_a_running_lab_shares_it() -> None:
    files = list(TESTS.rglob("test_*.py"))
    asking = [each for each in files if ASKING.search(each.read_text()) or "live" in each.parts]
    assert len(asking) > 10
    assert {group(file) for file in asking} == {*SHARING, "the lab"}
    assert {group(file) for file in TESTS.glob("native/live/**/test_*.py")} == {"native/live"}
    assert group(Path(__file__)) == __file__


@pytest.mark.parametrize(
    ("test", "service"),
    [
        ("test_a[flask-sync]", "flask-sync"),
        ("test_a[reset-fastapi-async]", "fastapi-async"),
        ("test_a[flask-async-an order first]", "flask-async"),
        ("test_a[go]", "go"),
    ],
)
def test_what_is_asked_of_one_service_is_asked_by_one_process(test: str, service: str) -> None:
    for file in TESTS.glob("conformance/clients/test_*.py"):
        assert group(file, test) == f"conformance of {service}"
