"""run.json and the folder that it lies in."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from loadtest.model.experiment import Looked, Planned
from loadtest.results import record
from loadtest.results.record import Ledger, Record
from loadtest.results.runs import RunError

RECORD = Record(
    run_id="r",
    command="python -m loadtest run",
    plan="quick",
    seed=1,
    budget="typical",
    backend="native",
    plans={"e": Planned(("a", "b"), ("1 connection",), 6, (3, 6))},
    looks={"e": (Looked(3, 0.03, {"1 connection": ("a",)}), Looked(6, 0.05, {}))},
    warnings=("careful",),
)


def test_what_is_written_can_be_restored(tmp_path: Path) -> None:
    record.write(tmp_path, RECORD)
    assert record.restore(json.loads((tmp_path / "run.json").read_text())) == RECORD


def test_in_older_records_every_service_of_an_open_level_went_on(tmp_path: Path) -> None:
    record.write(tmp_path, RECORD)
    info = json.loads((tmp_path / "run.json").read_text())
    info["looks"]["e"][0]["open"] = ["1 connection"]
    restored = record.restore(info).looks["e"]
    assert [look.open for look in restored] == [{"1 connection": ("a", "b")}, {}]


def test_runs_of_the_same_second_get_folders_that_differ(tmp_path: Path) -> None:
    folders = [record.create(tmp_path) for _ in range(3)]
    assert len(set(folders)) == 3


def test_latest_leads_to_the_run_that_measured_last(tmp_path: Path) -> None:
    first, second = (record.create(tmp_path) for _ in range(2))
    assert not (tmp_path / "latest").is_symlink()
    for folder in (second, first, second):
        Ledger(folder, RECORD).measured()
        assert (tmp_path / "latest").resolve() == folder
    Ledger(tmp_path / "latest", RECORD).measured()  # gone on with by that name
    assert (tmp_path / "latest").resolve() == second


def test_a_folder_that_may_not_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record.require_writable(tmp_path / "not" / "yet")
    assert not (tmp_path / "not").exists()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(RunError, match=rf"{tmp_path}/not/yet: you may not write in {tmp_path};"):
        record.require_writable(tmp_path / "not" / "yet")


def test_a_folder_that_cannot_be_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path))

    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(RunError, match=r"Read-only file system; make it writable.*LAB_RESULTS="):
        record.create(tmp_path)


def test_a_record_that_lacks_something_cannot_be_resumed() -> None:
    info = asdict(RECORD)
    del info["seed"]
    with pytest.raises(RunError, match="'seed' is missing or wrong"):
        record.restore(info)


def test_a_container_names_results_as_its_host_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "20260101-000000"
    monkeypatch.setenv("LAB_RESULTS", str(tmp_path))
    assert record.outside(run) == run
    monkeypatch.setenv("LAB_RESULTS_OUTSIDE", "/home/me/results")
    assert record.outside(run) == Path("/home/me/results/20260101-000000")
