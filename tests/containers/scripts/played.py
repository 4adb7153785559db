"""An engine played by a script, for states that a real one cannot be brought into at will."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PLAYED = """#!/bin/sh
echo "$*" >>"$0.calls"
case "$*" in
"version --format"*) {version} ;;
"compose version --short") {compose} ;;
"buildx version") {buildx} ;;
"info --format {{{{.DockerRootDir}}}}") echo "{folder}" ;;
"info --format {{{{.NCPU}}}}") echo 2 ;;
*"config --quiet") ;;
*" ps "*) echo "{published}" ;;
*config) echo '        published: "{port}"' ;;
*" run "*) {run} ;;
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
            "buildx": "echo 0.29.1",
            "folder": str(folder),
            "published": "",
            "port": "1",
            "run": ":",
        }

    def plays(self, **answers: str) -> None:
        """Have a `docker` command that gives `answers` where the healthy one would differ."""
        script = self.bin / "docker"
        script.write_text(PLAYED.format(**(self.answers | answers)))
        script.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """The arguments of every `docker` command so far."""
        log = self.bin / "docker.calls"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def variables(self) -> dict[str, str]:
        """An environment in which `docker` is the played one, with every other tool at hand."""
        return os.environ | {"PATH": f"{self.bin}:{os.environ['PATH']}", "LAB_ROOM_MB": "1"}

    def alone(self, command: list[str | Path], **variables: str) -> tuple[int, str]:
        """Exit code and errors of `command` where there is little else than the played engine."""
        done = subprocess.run(
            command,
            env={"PATH": str(self.bin), "LAB_ROOM_MB": "1"} | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stderr
