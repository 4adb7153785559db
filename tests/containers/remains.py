"""What runs of these tests leave when they are killed: containers, networks, volumes, a Swarm."""

from __future__ import annotations

import platform
import re
import shutil
import zlib
from collections.abc import Sequence

import psutil

from loadtest.system.paths import ROOT
from tests.containers.stack import await_that, docker

STATES = ROOT / ".lab"
# An engine may serve several machines, and a process id means something on one alone.
_PREFIX = f"lab-e2e-{zlib.crc32(platform.node().encode()):08x}"
_PROJECT, _STACK, _SWARM_OF = (
    "com.docker.compose.project",
    "com.docker.stack.namespace",
    "lab.tests",
)
_KINDS = (
    ("{{.ID}}", ("ps", "--all"), ("rm", "--force", "--volumes")),
    ("{{.ID}}", ("network", "ls"), ("network", "rm")),
    ("{{.Name}}", ("volume", "ls"), ("volume", "rm")),
)


def name_of(pid: int) -> str:
    """What everything of a run is called; more may follow, after a hyphen."""
    return f"{_PREFIX}-{pid}"


def start_swarm(name: str) -> None:
    """Make this engine a Swarm of its own, with the name of the run that has to end it."""
    docker("swarm", "init", "--advertise-addr", "127.0.0.1")
    node = docker("info", "--format", "{{.Swarm.NodeID}}").strip()
    docker("node", "update", "--label-add", f"{_SWARM_OF}={name}", node)


def clear() -> None:
    """Remove what dead runs have left, and nothing else."""
    _clear_swarm()
    for identity, listing, removal in _KINDS:
        for found in _of_dead_runs(identity, listing, (_PROJECT, _STACK)):
            docker(*removal, found, check=False)  # another run may be at it too
    for path in STATES.glob(f"{_PREFIX}-*"):
        if _dead(path.name):
            shutil.rmtree(path, ignore_errors=True)


def _clear_swarm() -> None:
    stacks = docker("stack", "ls", "--format", "{{.Name}}", check=False).split()
    if dead := [name for name in stacks if _dead(name)]:
        docker("stack", "rm", *dead)
        await_that(
            lambda: not _of_dead_runs("{{.ID}}", ("ps",), [_STACK]),
            what="the stacks of dead runs are gone",
        )
    owner = f'{{{{index .Spec.Labels "{_SWARM_OF}"}}}}'
    if _dead(docker("node", "inspect", "self", "--format", owner, check=False).strip()):
        docker("swarm", "leave", "--force")


def _of_dead_runs(identity: str, listing: Sequence[str], labels: Sequence[str]) -> list[str]:
    columns = " ".join([identity, *(f'{{{{.Label "{label}"}}}}' for label in labels)])
    lines = docker(*listing, "--format", columns).splitlines()
    return [line.split()[0] for line in lines if any(map(_dead, line.split()[1:]))]


def _dead(name: str) -> bool:
    """Whether it is the name of a run here that has ended."""
    found = re.fullmatch(rf"{_PREFIX}-(\d+)(-.*)?", name)
    return found is not None and not psutil.pid_exists(int(found[1]))
