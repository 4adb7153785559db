"""`.ci/run` with `make` and `.ci/engine` played: what goes on beside what, and how it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from loadtest.system.paths import ROOT

MAKE = """#!/bin/bash
say() {{ echo "$*" >>"{log}"; }}
until_said() {{ until grep -qx "$*" "{log}"; do sleep 0.02; done; }}
trap 'say "told to end"; exit 130' INT
say "begin $1"
{does}
say "end $1"
"""
# Installs while the check goes on.
NEEDS = """#!/bin/sh
until grep -qx "end check" "{log}"; do sleep 0.02; done
echo "end needs" >>"{log}"
exit {code}
"""
PASSES = """case $1 in
test-containers) until_said begin test-together ;;
test-together) until_said begin test-containers ;;
esac
"""
CHECK_FAILS = """case $1 in
check) until_said begin test-containers; exit 1 ;;
test-containers) until_said never ;;
esac
"""
CHECK_PASSES = CHECK_FAILS.replace("exit 1", "true")
CONTAINERS_FAIL = '[ "$1" != test-containers ] || { echo "no room"; exit 3; }\n'


@dataclass
class Clone:
    """A folder with `.ci/run`."""

    folder: Path

    def run(self, does: str, needs: int = 0) -> tuple[int, list[str], str]:
        """Exit code, what was done, and all that was printed, where `make` does as told.

        `needs` is the exit code of `.ci/needs`.
        """
        ci, log = self.folder / ".ci", self.folder / "log"
        scripts = {
            "engine": '#!/bin/sh\nexec "$@"\n',
            "needs": NEEDS.format(log=log, code=needs),
            "make": MAKE.format(log=log, does=does),
        }
        for name, text in scripts.items():
            (ci / name).write_text(text)
            (ci / name).chmod(0o755)
        done = subprocess.run(
            [ci / "run"],
            env=os.environ | {"PATH": f"{ci}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, log.read_text().splitlines(), done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci")
    return Clone(tmp_path)


def test_containers_are_tested_beside_the_others_but_for_those_that_measure(clone: Clone) -> None:
    code, did, _ = clone.run(PASSES)
    assert code == 0
    assert {"end check", "end test-together", "end test-containers"} <= set(did[:-2])
    assert did[-2:] == ["begin test-alone", "end test-alone"]
    assert did.index("end check") < did.index("end needs") < did.index("begin test-together")


def test_a_check_that_fails_ends_all(clone: Clone) -> None:
    code, did, _ = clone.run(CHECK_FAILS)
    assert code == 1
    assert did[-1] == "told to end"
    assert "begin test-together" not in did


def test_what_cannot_be_installed_ends_all(clone: Clone) -> None:
    code, did, _ = clone.run(CHECK_PASSES, needs=2)
    assert code == 2
    assert "told to end" in did
    assert "begin test-together" not in did


def test_what_tests_of_containers_said_is_told_where_they_fail(clone: Clone) -> None:
    code, did, said = clone.run(CONTAINERS_FAIL)
    assert code == 3
    assert "no room" in said
    assert "begin test-alone" not in did
