"""Starts a service of known truth by its ordinary command, and stops it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from loadtest.system import environment, ports, urls
from loadtest.system.processes import Processes, wait_until
from tests.native.probe.truths import APPS, Truth


@contextlib.contextmanager
def serving(truth: Truth, logs: Path) -> Iterator[str]:
    """The service, and its upstream, until the block ends; yields the URL to probe."""
    with Processes() as processes, ports.held(2) as (port, behind):
        variables = {
            name: value.format(upstream=f"http://127.0.0.1:{behind}")
            for name, value in truth.environment.items()
        }
        built = _built(truth.go, logs) if truth.go else ""
        command = tuple(word.replace("{built}", built) for word in truth.command)
        if truth.upstream:
            _start(processes, "upstream", truth.upstream, behind, "/", logs, variables)
        _start(processes, truth.name, command, port, truth.path, logs, variables)
        yield f"http://127.0.0.1:{port}{truth.path}"


def _built(source: str, folder: Path) -> str:
    """The program that Go makes of a source: a second, where its own library is in the cache."""
    program = str(folder / source.removesuffix(".go"))
    command = ["go", "build", "-o", program, source]
    subprocess.run(command, cwd=APPS, env=environment.build(), check=True)
    return program


def _start(
    processes: Processes,
    name: str,
    command: tuple[str, ...],
    port: int,
    path: str,
    logs: Path,
    variables: dict[str, str],
) -> None:
    """Start one process, and wait until it answers."""
    started = processes.start(
        name,
        [word.format(port=port) for word in command],
        log=logs / f"{port}.log",
        cwd=APPS,
        environment=environment.service([APPS]) | variables,
    )
    wait_until(
        started, lambda: urls.answers(f"http://127.0.0.1:{port}{path}"), waiting_for="answer"
    )
