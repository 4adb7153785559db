"""How `make test` shares tests out among processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.system.paths import ROOT
from tests.conftest import ASKING, MEASURING, SHARING, TESTS, group

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
    files = [each for each in TESTS.rglob("test_*.py") if MEASURING not in each.read_text()]
    asking = [each for each in files if ASKING.search(each.read_text()) or "live" in each.parts]
    assert len(asking) > 10
    assert {group(file) for file in asking} == {*SHARING, "the lab"}
    assert {group(file) for file in asking if "live" in file.parts} == {"native/live"}
    assert group(TESTS / "docs/test_links.py") == str(TESTS / "docs/test_links.py")


def test_what_measures_shares_nothing() -> None:
    found = [each for each in TESTS.rglob("test_*.py") if MEASURING in each.read_text()]
    assert len(found) > 5
    assert [group(each) for each in found] == [str(each) for each in found]


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
