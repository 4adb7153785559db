"""What `make up` says before it starts anything, with an engine played by a script."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from loadtest.system.paths import ROOT
from tests.containers.scripts.played import Engine
from tests.containers.stack import Stack

PREFLIGHT = ROOT / "containers/preflight"
SECRETS = ROOT / "containers/secrets"


def preflight(engine: Engine, **variables: str) -> tuple[int, str]:
    return engine.alone([PREFLIGHT], **variables)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def test_a_healthy_engine_passes_in_silence(engine: Engine) -> None:
    engine.plays()
    assert preflight(engine) == (0, "")


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
        ({"buildx": "exit 1"}, "Buildx is not installed", "docker-buildx"),
        ({"compose": "exit 1"}, "Compose is not installed", "install"),
        ({"compose": "echo v2.17.1"}, "v2.17.1 is too old", "2.24"),
    ],
)
def test_trouble_is_one_line_with_a_remedy(
    engine: Engine, answers: dict[str, str], says: str, remedy: str
) -> None:
    engine.plays(**answers)
    code, error = preflight(engine)
    assert code == 1
    assert error.count("\n") == 1
    assert says in error
    assert remedy in error


def test_a_mistyped_profile_is_refused_with_those_that_there_are(engine: Engine) -> None:
    engine.plays()
    code, error = engine.alone([PREFLIGHT, "--profile", "al"])
    assert (code, error.count("\n")) == (1, 1)
    assert "unknown profile al" in error
    assert "all compare containers ladder" in error
    for known in ("all", "*"):
        assert engine.alone([PREFLIGHT, "--profile", known]) == (0, "")


def test_without_docker_it_says_what_to_install(engine: Engine) -> None:
    code, error = preflight(engine)
    assert (code, error.count("\n")) == (1, 1)
    assert "not installed" in error
    assert "make live" in error


def test_no_room_on_disk(engine: Engine) -> None:
    engine.plays()
    code, error = preflight(engine, LAB_ROOM_MB="999999999")
    assert (code, error.count("\n")) == (1, 1)
    assert "make room" in error


def test_a_taken_port_names_the_variable_that_moves_it(engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        engine.plays(port=port)
        code, error = preflight(engine, LOCUST_PORT=port)
        assert (code, error.count("\n")) == (1, 1)
        assert f"port {port}" in error
        assert "LOCUST_PORT=" in error


def test_a_port_of_the_running_lab_is_no_trouble(engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        engine.plays(port=port, published=f"127.0.0.1:{port}->8000/tcp")
        assert preflight(engine) == (0, "")


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
    assert printed == f"{folder}\n"
    values = {path.name: path.read_text() for path in folder.iterdir()}
    assert values.keys() == {"lab-password", "monitor-password"}
    assert all(len(value) > 32 and value.isalnum() for value in values.values())
    assert len(set(values.values())) == 2
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert run() == printed
    assert {path.name: path.read_text() for path in folder.iterdir()} == values


def test_an_engine_that_is_away_is_told_before_anything_is_installed(
    engine: Engine, tmp_path: Path
) -> None:
    engine.plays(version="exit 1")
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "Makefile").symlink_to(ROOT / "Makefile")
    (clone / "containers").symlink_to(ROOT / "containers")
    (clone / "setup").symlink_to(ROOT / "setup")
    done = subprocess.run(
        ["make", "--silent", "test-containers"],
        cwd=clone,
        env=engine.variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "no engine answers" in done.stderr
    assert not (clone / ".venv").exists()


@pytest.mark.container
def test_a_user_without_rights_on_the_socket_is_told_how_to_get_them() -> None:
    """The real command says it here, of a socket that is closed to everybody but root."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as engine:
        Path(folder).chmod(0o755)
        engine.bind(f"{folder}/socket")
        engine.listen()
        Path(folder, "socket").chmod(0)
        script = Path(folder, "containers/preflight")
        script.parent.mkdir()
        shutil.copy(PREFLIGHT, script)
        done = subprocess.run(
            [script],
            env=os.environ | {"DOCKER_HOST": f"unix://{folder}/socket", "HOME": folder},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            user=os.getuid() or 65534,
            extra_groups=[] if os.getuid() == 0 else None,
        )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert "you have no rights on the engine's socket" in done.stderr


@pytest.mark.container
def test_a_real_lab_that_is_up_is_no_trouble_and_a_taken_port_is(stack: Stack) -> None:
    def look(**variables: str) -> tuple[int, str]:
        done = subprocess.run(
            [PREFLIGHT],
            env=os.environ | stack.variables | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    assert look() == (0, "")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = look(GO_METRICS_PORT=str(port))
    assert (code, said.count("\n")) == (1, 1)
    assert f"port {port} on 127.0.0.1 is taken" in said
    assert "GO_METRICS_PORT=" in said
