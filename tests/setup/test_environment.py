"""`setup/environment` in a small clone: one package of our own, whatever pip is told elsewhere."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from loadtest.system.paths import ROOT
from tests.setup.test_install import ELSEWHERE


@dataclass
class Clone:
    """A folder with the lab's set-up and a lock of one package, which lies in `wheels`."""

    folder: Path
    wheels: Path

    def prepare(self, lock: str = "native", **variables: str) -> tuple[int, str]:
        """Run it; its code and what it says on standard error."""
        done = subprocess.run(
            ["setup/environment", lock],
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if name != "PYTHON"}
            | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}
            | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stderr

    def script(self) -> str:
        """What the package's script says, which works only where it was installed."""
        command = self.folder / ".venv" / "bin" / "toy"
        return subprocess.run([command], capture_output=True, text=True, check=True).stdout


def wheel(folder: Path) -> str:
    """Put a package with a script into `folder`; returns its line of a lock."""
    folder.mkdir()
    path = folder / "toy-1-py3-none-any.whl"
    content = {
        "toy.py": "def main(): print('here')\n",
        "toy-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: toy\nVersion: 1\n",
        "toy-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "toy-1.dist-info/entry_points.txt": "[console_scripts]\ntoy = toy:main\n",
    }
    record = [f"{name},sha256={digest(text)},{len(text)}" for name, text in content.items()]
    content["toy-1.dist-info/RECORD"] = "\n".join([*record, "toy-1.dist-info/RECORD,,", ""])
    with zipfile.ZipFile(path, "w") as file:
        for name, text in content.items():
            file.writestr(name, text)
    return f"toy==1 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def clone_at(folder: Path, wheels: Path) -> Clone:
    lock = wheel(wheels)
    shutil.copytree(ROOT / "setup", folder / "setup")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements").mkdir()
    (folder / "requirements" / "native.txt").write_text(lock)
    (folder / "requirements" / "dev.txt").write_text("")
    return Clone(folder, wheels)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return clone_at(tmp_path / "the lab", tmp_path / "wheels")


def test_what_pip_is_told_elsewhere_changes_nothing_and_a_folder_may_move(clone: Clone) -> None:
    assert clone.prepare(**ELSEWHERE) == (0, "")
    assert clone.script() == "here\n"
    assert clone.prepare() == (0, "")

    clone.folder = clone.folder.rename(clone.folder.with_name("lab2"))
    code, said = clone.prepare()
    assert (code, len(said.splitlines())) == (0, 1)
    assert "this folder has moved" in said
    assert clone.script() == "here\n"


def told(clone: Clone, **variables: str) -> str:
    """The one line with which it refuses; nothing is made."""
    before = sorted(clone.folder.iterdir())
    code, said = clone.prepare(**variables)
    assert (code, len(said.splitlines())) == (2, 1)
    assert sorted(clone.folder.iterdir()) == before
    return said


def test_a_colon_in_the_path_is_told(tmp_path: Path) -> None:
    said = told(clone_at(tmp_path / "a:b", tmp_path / "wheels"))
    assert "has a colon" in said
    assert f"mv '{tmp_path}/a:b' '{tmp_path}/a-b'" in said


def test_a_python_that_was_asked_for_and_is_none_is_told(clone: Clone) -> None:
    assert "PYTHON=/nowhere" in told(clone, PYTHON="/nowhere", PYTHON_ASKED="yes")


def test_without_a_free_threaded_python_nothing_is_made_and_nothing_said(clone: Clone) -> None:
    assert clone.prepare("free-threaded") == (0, "")
    assert not (clone.folder / ".lab").exists()


@pytest.mark.parametrize("python", [sys.executable, "/nowhere/python3.14t"])
def test_a_python_that_has_its_lock_for_good_is_told(clone: Clone, python: str) -> None:
    code, said = clone.prepare("free-threaded", PYTHON_FREE=python)
    assert code == 2
    assert said == f"make: PYTHON_FREE={python} is no free-threaded Python 3.13 or later\n"


def test_no_python_at_all_is_told(clone: Clone, tmp_path: Path) -> None:
    for name in ("bash", "dirname", "flock", "cmp"):
        (tmp_path / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    assert "needs Python 3.11" in told(clone, PATH=str(tmp_path))


@pytest.fixture
def poor_python(tmp_path: Path) -> Path:
    """A Python that can't make an environment, and says why as its last line."""
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\n"
        'case "$*" in *venv*) mkdir .venv; echo "no"; echo "Read-only file system"; exit 1;; esac\n'
        'case "$*" in *ensurepip*) exit "${NO_ENSUREPIP:-0}";; esac\n'
        f'exec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    return python


def test_why_no_environment_can_be_made_is_told(clone: Clone, poor_python: Path) -> None:
    asked = {"PYTHON": str(poor_python), "PYTHON_ASKED": "yes"}
    assert "Read-only file system" in told(clone, **asked)
    assert "apt install python3-venv" in told(clone, **asked, NO_ENSUREPIP="1")


def test_an_environment_whose_python_is_gone_is_made_anew(clone: Clone, poor_python: Path) -> None:
    binaries = clone.folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to("/nowhere/python3")
    _, said = clone.prepare(PYTHON=str(poor_python), PYTHON_ASKED="yes")
    assert ".venv has no Python that works; making .venv anew" in said
    assert not binaries.exists()


def test_a_link_is_used_as_it_is(clone: Clone, tmp_path: Path) -> None:
    binaries = tmp_path / "environment" / "bin"
    binaries.mkdir(parents=True)
    (clone.folder / ".venv").symlink_to(tmp_path / "environment")
    assert "where no Python runs" in told(clone)
    (binaries / "python").symlink_to(sys.executable)
    assert clone.prepare() == (0, "")
    assert sorted(each.name for each in (tmp_path / "environment").rglob("*")) == ["bin", "python"]
