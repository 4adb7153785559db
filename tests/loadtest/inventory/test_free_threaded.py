"""Which Python a service has, and what an experiment needs of the machine."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.inventory import free_threaded
from loadtest.inventory.free_threaded import STAND_INS, InterpreterError
from loadtest.model.experiment import GIL
from loadtest.system.cpus import Cpus
from tests.synthetic import experiment

SERVICE = {"PATH": "/lab/bin:/usr/bin", "PYTHONPATH": "/services/common"}


def installed(place: Path) -> Path:
    """A folder that looks like an environment of such a Python."""
    (place / "bin").mkdir(parents=True)
    (place / "bin" / "python").touch()
    (place / "pyvenv.cfg").write_text(
        "home = /opt/bin\nversion = 3.14.2\nexecutable = /opt/bin/p\n"
    )
    return place


def levels(**changes: Any) -> list[dict[str, Any]]:
    return [{"connections": 1}, {"connections": 8} | changes]


@pytest.mark.parametrize("gil", ["0", "1"])
def test_a_level_with_the_gil_or_without_has_that_pythons_programs_first(gil: str) -> None:
    found = free_threaded.chosen(SERVICE | {GIL: gil}, Path("/free"))
    assert found["PATH"].split(os.pathsep)[0] == "/free/bin"
    assert found["PYTHONPATH"].split(os.pathsep) == ["/services/common", str(STAND_INS)]
    assert found[GIL] == gil


def test_any_other_level_has_the_labs_python() -> None:
    assert free_threaded.chosen(SERVICE, Path("/free")) == SERVICE


@pytest.mark.parametrize(
    ("change", "backend", "told"),
    [
        ({}, "native", ""),
        ({}, "compose", ""),
        ({"cores": 2}, "compose", "run it without Docker"),
        ({"gil": False}, "compose", "run it without Docker"),
        ({"cores": 10_000}, "native", "needs 10000 cores for a service, and here is "),
        ({"gil": False}, "native", "PYTHON_FREE=/path/to/python3.14t"),
        ({"gil": True}, "native", "put python3.14t on the PATH"),
    ],
)
def test_what_the_machine_lacks_is_told_with_its_remedy(
    tmp_path: Path, change: dict[str, Any], backend: str, told: str
) -> None:
    one = experiment(levels=levels(**change), criteria=[])
    found = free_threaded.lacking(one, backend, place=tmp_path / "none")
    assert told in found
    assert bool(found) == bool(told)


def test_where_there_is_such_a_python_nothing_lacks(tmp_path: Path) -> None:
    one = experiment(levels=levels(gil=False), criteria=[])
    place = installed(tmp_path / "free")
    assert free_threaded.lacking(one, "native", place=place) == ""
    assert free_threaded.versions(place) == {"Python, free-threaded": "3.14.2"}
    assert free_threaded.versions(tmp_path / "none") == {}


def test_experiments_that_lack_something_are_left_out_by_name() -> None:
    plain, wide = experiment(), experiment(levels=levels(cores=10_000), criteria=[])
    there, lacks = free_threaded.split([plain, wide], "native")
    assert there == [plain]
    assert list(lacks) == [wide.name]


@pytest.mark.parametrize(
    ("asked", "said"), [("0", "on"), ("1", "off"), ("0", None), ("1", None)], ids=str
)
def test_a_service_that_says_another_gil_is_refused(asked: str, said: str | None) -> None:
    versions = {"python": "3.14.2"} | ({"gil": said} if said else {})
    with pytest.raises(InterpreterError, match=f"service flask-gthread: .*{GIL}={asked}"):
        free_threaded.check("flask-gthread", {"versions": versions}, {GIL: asked})


@pytest.mark.parametrize(("asked", "said"), [("0", "off"), ("1", "on"), (None, None)])
def test_a_service_that_runs_as_asked_passes(asked: str | None, said: str | None) -> None:
    versions = {"gil": said} if said else {}
    free_threaded.check("go", {"versions": versions}, {GIL: asked} if asked else {})


@given(st.integers(1, 12), st.integers(2, 12))
def test_cores_are_shared_out_whole_and_the_load_always_has_some(asked: int, there: int) -> None:
    one = Cpus(frozenset({0}), frozenset(range(1, there)))
    found = one.widened(asked)
    assert found.service
    assert found.load
    assert len(found.service) == min(asked, there)
    assert found.service | found.load == one.service | one.load  # type: ignore[operator]
    assert found.load == found.service or not found.load & found.service


def test_what_is_not_pinned_stays_so() -> None:
    assert Cpus(None, None).widened(2) == Cpus(None, None)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


def stand_in() -> ModuleType:
    spec = importlib.util.spec_from_file_location("stand_in", STAND_INS / "orjson.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STAND_IN = stand_in()


@given(VALUES)
def test_the_stand_in_writes_and_reads_what_orjson_does(value: object) -> None:
    assert STAND_IN.dumps(value) == orjson.dumps(value)
    assert STAND_IN.loads(orjson.dumps(value)) == value


@pytest.mark.parametrize("wrong", [b"", b"{", b"NaN", b"\xff", b"[1,]", b"[" * 100_000])
def test_the_stand_in_refuses_what_orjson_refuses(wrong: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(wrong)
    with pytest.raises(STAND_IN.JSONDecodeError):
        STAND_IN.loads(wrong)
