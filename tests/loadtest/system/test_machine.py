"""Other Pythons on the PATH are found and timed."""

from __future__ import annotations

import sys
from pathlib import Path

from loadtest.system import machine


def test_each_python_but_this_one_is_timed(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    (first / "python3").symlink_to(Path(sys.executable).resolve())  # this one
    for place, version in ((first / "python3.12", "3.12.1"), (second / "python3.12", "3.12.9")):
        place.write_text(f"#!/bin/sh\necho {version} 250.5\n")
        place.chmod(0o755)
    broken = second / "python3.13"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    (second / "python3-config").write_text("")
    assert machine.other_pythons(f"{first}:{second}:/nonexistent") == {
        "python3.12": ("3.12.1", 250.5)
    }


def test_the_program_runs_in_a_real_python(tmp_path: Path) -> None:
    command = tmp_path / "python3.99"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    command.chmod(0o755)
    version, loop_us = machine.other_pythons(str(tmp_path))["python3.99"]
    assert version.startswith("3.")
    assert 10 < loop_us < 100_000
