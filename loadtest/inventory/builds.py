"""What a row needs before it starts natively: its toolchain, and its build if inputs changed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from loadtest.inventory.manifest import Row
from loadtest.system.paths import ROOT

STAMPS = ROOT / ".lab" / "builds"
# Made by builds, or by running: never an input.
OUTPUTS = frozenset({"node_modules", "bin", "dist", "build", "__pycache__"})
TOOLCHAINS = {
    "node": "Node.js 20 or later, with npm",
    "npm": "Node.js 20 or later, with npm",
    "go": "Go 1.24 or later",
}


class BuildError(Exception):
    """A row's build failed; the message ends with what the build printed."""


def missing(row: Row) -> str | None:
    """What to install before `row` can run here, or None."""
    for tool in row.needs.split():
        if shutil.which(tool) is None:
            return f"{tool} is not on the PATH; install {TOOLCHAINS.get(tool, tool)}"
    return None


def available(rows: Mapping[str, Row]) -> tuple[dict[str, Row], dict[str, str]]:
    """Split `rows` into those that can run here, and the reasons why the others cannot."""
    reasons = {name: reason for name, row in rows.items() if (reason := missing(row))}
    return {name: row for name, row in rows.items() if name not in reasons}, reasons


def failures(rows: Mapping[str, Row]) -> dict[str, str]:
    """Build each row that needs it; the reasons of those that could not be built."""
    reasons = {}
    for name, row in rows.items():
        try:
            build(row)
        except BuildError as error:
            reasons[name] = " ".join(str(error).split())
    return reasons


def build(row: Row) -> None:
    """Run the row's build command, unless nothing that it reads has changed since the last time."""
    if not row.build:
        return
    stamp = STAMPS / row.folder.name
    stamp.parent.mkdir(parents=True, exist_ok=True)
    with stamp.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        inputs = fingerprint(row)
        if stamp.exists() and stamp.read_text() == inputs:
            return
        _run(row)
        stamp.write_text(inputs)


def fingerprint(row: Row) -> str:
    """A digest of the build command and of every file that it may read."""
    digest = hashlib.sha256(row.build.encode())
    for path in _inputs(row.folder):
        digest.update(f"\0{path.relative_to(row.folder)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _inputs(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in OUTPUTS or path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _inputs(path)
        else:
            yield path


def _run(row: Row) -> None:
    finished = subprocess.run(
        ["/bin/sh", "-c", row.build],
        cwd=row.folder,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode:
        tail = "\n".join(finished.stdout.splitlines()[-15:])
        raise BuildError(f"row {row.name}: `{row.build}` failed in {row.folder}:\n{tail}")
