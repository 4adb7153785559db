"""What a killed run of these tests has left goes with the next, and nothing else does."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.containers import remains
from tests.containers.stack import Stack, docker

pytestmark = pytest.mark.container


def ended() -> int:
    """Id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def left_by(project: str, image: str) -> dict[str, str]:
    """A container, a network and a volume of a project, as listed by their label."""
    label = f"com.docker.compose.project={project}"
    docker("create", "--label", label, "--network", "none", image)
    docker("network", "create", "--label", label, project)
    docker("volume", "create", "--label", label, project)
    return found(project)


def found(project: str) -> dict[str, str]:
    label = ("--quiet", "--filter", f"label=com.docker.compose.project={project}")
    listings = {
        "container": ("ps", "--all"),
        "network": ("network", "ls"),
        "volume": ("volume", "ls"),
    }
    return {kind: docker(*listing, *label) for kind, listing in listings.items()}


def test_only_what_a_dead_run_has_left_goes(stack: Stack) -> None:
    image = stack.container("go")["Image"]
    dead, alive = f"{remains.name_of(ended())}-keep", f"{remains.name_of(os.getpid())}-alive"
    others = f"of-somebody-else-{os.getpid()}"
    state = remains.STATES / dead
    state.mkdir()
    try:
        assert all(left_by(dead, image).values())
        stay = {project: left_by(project, image) for project in (alive, others)}
        remains.clear()
        assert not any(found(dead).values())
        assert not state.exists()
        assert {project: found(project) for project in stay} == stay
        assert stack.ready("go")
    finally:
        for project in (dead, alive, others):
            for kind, ids in found(project).items():
                if ids:
                    docker(kind, "rm", "--force", *ids.split())
