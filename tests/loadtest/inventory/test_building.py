"""Builds that give way to trials, and are made up for before they are needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from loadtest.inventory import builds, manifest
from loadtest.inventory.building import Building
from loadtest.inventory.manifest import Service
from tests.waiting import eventually

LONG = "echo $$ > pid; sleep 300 && mkdir -p bin"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(builds, "STAMPS", tmp_path / "stamps")
    return named("toy", tmp_path)


def named(name: str, home: Path) -> Service:
    folder = home / name
    folder.mkdir()
    return replace(manifest.load()["flask-sync"], name=name, folder=folder, build=LONG)


def running(service: Service) -> psutil.Process | None:
    """The build's process, while there is one."""
    try:
        return psutil.Process(int((service.folder / "pid").read_text()))
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None


def test_a_build_ahead_takes_what_nobody_wants_and_gives_way_at_once(service: Service) -> None:
    with Building() as building:
        building.ahead([service])
        assert eventually(lambda: running(service) is not None)
        process = running(service)
        assert process is not None
        assert process.nice() == 19
        building.halt()
        assert running(service) is None


def test_what_was_cut_short_is_built_when_it_is_needed(service: Service) -> None:
    short = replace(
        service, build="[ -e once ] || { touch once; sleep 300; }; mkdir -p bin; nice > bin/nice"
    )
    with Building() as building:
        building.ahead([short])
        assert eventually((service.folder / "once").exists)
        building.halt()
        assert not (service.folder / "bin").exists()
        assert building.finish([short]) == {}
    assert (service.folder / "bin" / "nice").read_text().strip() == "0"


def test_a_build_ahead_that_came_to_its_end_is_not_repeated(service: Service) -> None:
    counted = replace(service, build="mkdir -p bin; echo built >> bin/log")
    with Building() as building:
        building.ahead([counted])
        assert building.finish([counted]) == {}
    assert (service.folder / "bin" / "log").read_text() == "built\n"


def test_builds_run_side_by_side_and_each_failure_has_its_reason(
    service: Service, tmp_path: Path
) -> None:
    # Each waits for the other: one after the other they would never end.
    left, right = service.folder / "here", tmp_path / "other" / "here"
    wait = "touch here; until [ -e {other} ]; do sleep 0.02; done; {then}"
    first = replace(service, build=wait.format(other=right, then="true"))
    second = replace(
        named("other", tmp_path), build=wait.format(other=left, then="echo no such module; exit 3")
    )
    with Building() as building:
        reasons = building.finish([first, second])
    [(name, reason)] = reasons.items()
    assert name == "other"
    assert reason.endswith("no such module")
    assert "\n" not in reason


def test_an_error_beside_a_build_leaves_nothing_running(service: Service) -> None:
    def interrupted() -> None:
        with Building() as building:
            building.ahead([service])
            assert eventually(lambda: running(service) is not None)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert running(service) is None
