"""Toolchains and builds: asked for by name, built once, built again when inputs change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.inventory import builds, manifest
from loadtest.inventory.builds import BuildError
from loadtest.inventory.manifest import Service


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(builds, "STAMPS", tmp_path / "stamps")
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "main.c").write_text("1")
    some = next(iter(manifest.load().values()))
    return replace(some, name="toy", folder=folder)


def times_built(service: Service) -> int:
    log = service.folder / "bin" / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_it_is_built_once_and_again_when_an_input_changes(service: Service) -> None:
    service = replace(service, build="mkdir -p bin && echo built >> bin/log")
    for _ in range(2):
        builds.build(service)
    assert times_built(service) == 1
    (service.folder / "main.c").write_text("2")
    builds.build(service)
    assert times_built(service) == 2


def test_a_changed_command_builds_again(service: Service) -> None:
    builds.build(replace(service, build="mkdir -p bin && echo built >> bin/log"))
    builds.build(replace(service, build="mkdir -p bin && echo built >> bin/log && true"))
    assert times_built(service) == 2


def test_a_failed_build_is_told_and_tried_again(service: Service) -> None:
    failing = replace(service, build="echo no such module; exit 1")
    for _ in range(2):
        with pytest.raises(BuildError, match=r"(?s)service toy: .* failed.*no such module"):
            builds.build(failing)


def test_a_missing_toolchain_is_told_with_what_to_install(service: Service) -> None:
    services = {
        "a": replace(service, name="a"),
        "b": replace(service, name="b", needs="no-such-tool"),
    }
    found, reasons = builds.available(services)
    assert list(found) == ["a"]
    assert reasons == {"b": "no-such-tool is not on the PATH; install no-such-tool"}


@pytest.mark.parametrize("tool", ["node", "go"])
def test_the_labs_own_toolchains_have_a_name_for_people(
    service: Service, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    reason = builds.missing(replace(service, needs=tool))
    assert reason is not None
    assert "or later" in reason
