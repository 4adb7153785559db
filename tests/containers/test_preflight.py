"""What `make up` says before it starts anything, with an engine played by a script."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from loadtest.manifest import ROOT

PREFLIGHT = ROOT / "containers/preflight"
SECRETS = ROOT / "containers/secrets"
PLAYED = """#!/bin/sh
case "$*" in
"version --format"*) {version} ;;
"compose version --short") {compose} ;;
"info --format {{{{.DockerRootDir}}}}") echo "{folder}" ;;
*"config --quiet") ;;
*" ps "*) echo "{published}" ;;
*config) echo '        published: "{port}"' ;;
esac
"""
TOOLS = ("bash", "cat", "df", "dirname", "grep", "head", "id", "sed", "sort", "tail", "sh", "echo")


class Engine:
    """A `docker` command that answers as told; healthy unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        for tool in TOOLS:
            self.bin.joinpath(tool).symlink_to(
                f"/bin/{tool}" if Path(f"/bin/{tool}").exists() else f"/usr/bin/{tool}"
            )
        self.answers = {
            "version": "echo 28.1.0",
            "compose": "echo 2.40.3",
            "folder": str(folder),
            "published": "",
            "port": "1",
        }

    def plays(self, **answers: str) -> None:
        script = self.bin / "docker"
        script.write_text(PLAYED.format(**(self.answers | answers)))
        script.chmod(0o755)

    def preflight(self, **variables: str) -> tuple[int, str]:
        done = subprocess.run(
            [PREFLIGHT],
            env={"PATH": str(self.bin), "LAB_ROOM_MB": "1"} | variables,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.returncode, done.stderr


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def test_a_healthy_engine_passes_in_silence(engine: Engine) -> None:
    engine.plays()
    assert engine.preflight() == (0, "")


@pytest.mark.parametrize(
    ("answers", "says", "remedy"),
    [
        (
            {"version": "echo 'Cannot connect to the Docker daemon' >&2; exit 1"},
            "no engine",
            "start it",
        ),
        ({"version": "echo 'permission denied on socket' >&2; exit 1"}, "no rights", "usermod"),
        ({"version": "echo 20.10.24"}, "20.10.24 is too old", "25 or later"),
        ({"compose": "exit 1"}, "Compose is not installed", "install"),
        ({"compose": "echo v2.17.1"}, "v2.17.1 is too old", "2.24"),
    ],
)
def test_trouble_is_one_line_with_a_remedy(
    engine: Engine, answers: dict[str, str], says: str, remedy: str
) -> None:
    engine.plays(**answers)
    code, error = engine.preflight()
    assert code == 1
    assert error.count("\n") == 1
    assert says in error
    assert remedy in error


def test_without_docker_it_says_what_to_install(engine: Engine) -> None:
    code, error = engine.preflight()
    assert (code, error.count("\n")) == (1, 1)
    assert "not installed" in error
    assert "make live" in error


def test_no_room_on_disk(engine: Engine) -> None:
    engine.plays()
    code, error = engine.preflight(LAB_ROOM_MB="999999999")
    assert (code, error.count("\n")) == (1, 1)
    assert "make room" in error


def test_a_taken_port_names_the_variable_that_moves_it(engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        engine.plays(port=port)
        code, error = engine.preflight(LOCUST_PORT=port)
        assert (code, error.count("\n")) == (1, 1)
        assert f"port {port}" in error
        assert "LOCUST_PORT=" in error


def test_a_port_of_the_running_lab_is_no_trouble(engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        engine.plays(port=port, published=f"127.0.0.1:{port}->8000/tcp")
        assert engine.preflight() == (0, "")


def test_secrets_are_made_once_and_kept_from_other_users(tmp_path: Path) -> None:
    def run() -> str:
        return subprocess.run(
            [SECRETS],
            env={"PATH": os.environ["PATH"], "LAB_STATE": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    printed = run()
    folder = tmp_path / "secrets"
    values = {path.name: path.read_text() for path in folder.iterdir()}
    assert values.keys() == {"postgres_password", "monitor_password"}
    assert all(len(value) > 32 and value.isalnum() for value in values.values())
    assert len(set(values.values())) == 2
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not any(value in printed for value in values.values())
    assert run() == printed
    assert {path.name: path.read_text() for path in folder.iterdir()} == values
