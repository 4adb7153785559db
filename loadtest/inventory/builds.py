"""What a service needs before it starts natively: its toolchain, and its build if inputs
changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from loadtest.errors import LabError, reason
from loadtest.inventory.manifest import Service
from loadtest.system import environment
from loadtest.system.paths import ROOT

STAMPS = ROOT / ".lab" / "builds"
# Made by builds, or by running: never an input.
OUTPUTS = frozenset({"node_modules", "bin", "dist", "build", "__pycache__"})
TOOLCHAINS = {
    "node": "Node.js 20 or later, with npm",
    "npm": "Node.js 20 or later, with npm",
    "go": "Go 1.26 or later",
}


class BuildError(LabError):
    """A service's build failed; the message ends with what the build printed."""


def missing(service: Service) -> str | None:
    """What to install before `service` can run here, or None."""
    for tool in service.needs.split():
        if shutil.which(tool) is None:
            return f"{tool} is not on the PATH; install {TOOLCHAINS.get(tool, tool)}"
    return None


def available(services: Mapping[str, Service]) -> tuple[dict[str, Service], dict[str, str]]:
    """Split `services` into those that can run here, and the reasons why the others cannot."""
    reasons = {name: reason for name, service in services.items() if (reason := missing(service))}
    return {name: service for name, service in services.items() if name not in reasons}, reasons


def failures(services: Mapping[str, Service]) -> dict[str, str]:
    """Build each service that needs it; the reasons of those that could not be built."""
    reasons = {}
    for name, service in services.items():
        try:
            build(service)
        except BuildError as error:
            reasons[name] = reason(error, name)
    return reasons


def build(service: Service, run: Callable[[Service], object] | None = None) -> None:
    """Run the service's build command, unless nothing that it reads has changed since the last
    time.

    `run` runs it in place of a plain subprocess, and raises BuildError where it fails.
    """
    if not service.build:
        return
    stamp = STAMPS / service.folder.name
    stamp.parent.mkdir(parents=True, exist_ok=True)
    with stamp.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        inputs = fingerprint(service)
        if stamp.exists() and stamp.read_text() == inputs:
            return
        (run or _run)(service)
        stamp.write_text(inputs)


def fingerprint(service: Service) -> str:
    """A digest of the build command and of every file that it may read."""
    digest = hashlib.sha256(service.build.encode())
    for path in _inputs(service.folder):
        digest.update(f"\0{path.relative_to(service.folder)}\0".encode())
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


def _run(service: Service) -> None:
    finished = subprocess.run(
        ["/bin/sh", "-c", service.build],
        cwd=service.folder,
        env=environment.build(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise failed(service, finished.stdout)


def failed(service: Service, printed: str) -> BuildError:
    """The error of a build that printed this."""
    tail = "\n".join(printed.splitlines()[-15:])
    return BuildError(
        f"service {service.name}: `{service.build}` failed in {service.folder}:\n{tail}"
    )
