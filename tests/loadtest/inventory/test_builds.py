"""Toolchains and builds: asked for by name, built once, built again when inputs change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.inventory import builds, manifest
from loadtest.inventory.builds import BuildError
from loadtest.inventory.manifest import Row


@pytest.fixture
def row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Row:
    monkeypatch.setattr(builds, "STAMPS", tmp_path / "stamps")
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "main.c").write_text("1")
    some = next(iter(manifest.load().values()))
    return replace(some, name="toy", folder=folder)


def times_built(row: Row) -> int:
    log = row.folder / "bin" / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_it_is_built_once_and_again_when_an_input_changes(row: Row) -> None:
    row = replace(row, build="mkdir -p bin && echo built >> bin/log")
    for _ in range(2):
        builds.build(row)
    assert times_built(row) == 1
    (row.folder / "main.c").write_text("2")
    builds.build(row)
    assert times_built(row) == 2


def test_a_changed_command_builds_again(row: Row) -> None:
    builds.build(replace(row, build="mkdir -p bin && echo built >> bin/log"))
    builds.build(replace(row, build="mkdir -p bin && echo built >> bin/log && true"))
    assert times_built(row) == 2


def test_a_failed_build_is_told_and_tried_again(row: Row) -> None:
    failing = replace(row, build="echo no such module; exit 1")
    for _ in range(2):
        with pytest.raises(BuildError, match=r"(?s)row toy: .* failed.*no such module"):
            builds.build(failing)


def test_a_missing_toolchain_is_told_with_what_to_install(row: Row) -> None:
    rows = {"a": replace(row, name="a"), "b": replace(row, name="b", needs="no-such-tool")}
    found, reasons = builds.available(rows)
    assert list(found) == ["a"]
    assert reasons == {"b": "no-such-tool is not on the PATH; install no-such-tool"}


@pytest.mark.parametrize("tool", ["node", "go"])
def test_the_labs_own_toolchains_have_a_name_for_people(
    row: Row, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    reason = builds.missing(replace(row, needs=tool))
    assert reason is not None
    assert "or later" in reason
