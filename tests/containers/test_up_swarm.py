"""The same compose file, deployed to a Swarm of one node.

Last in order of names: an engine that leaves a Swarm forgets the names in its other networks.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.system.paths import ROOT
from tests.containers import remains
from tests.containers.stack import PATIENCE_S, Stack, await_that, docker

pytestmark = pytest.mark.container
SERVICES = ("postgres", "fastapi-async", "locust", "locust-worker", "prometheus")
ASK = (
    "import sys, urllib.request as u;"
    "sys.stdout.write(u.urlopen(sys.argv[1], timeout=30).read().decode())"
)


@pytest.fixture
def swarm(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """Name of a stack with one service, two load workers and Prometheus, from the images of
    `stack`.
    """
    name = f"{stack.name}-swarm"
    ours = docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip() == "inactive"
    if ours:
        remains.start_swarm(stack.name)
    variables = {"COMPOSE_PROJECT_NAME": name, "COMPOSE_PROFILES": "", "LAB_STATE": str(tmp_path)}
    try:
        subprocess.run(
            [ROOT / "containers/swarm", *SERVICES],
            env=os.environ | variables | {"LOCUST_WORKERS": "2"},
            capture_output=True,
            check=True,
            timeout=PATIENCE_S,
        )
        yield name
    finally:
        docker("stack", "rm", name, check=False)
        label = f"label=com.docker.stack.namespace={name}"
        await_that(
            lambda: not docker("ps", "--all", "--quiet", "--filter", label).strip(),
            what="the stack is gone",
        )
        for volume in docker("volume", "ls", "--quiet", "--filter", label).split():
            docker("volume", "rm", volume)
        if ours:
            docker("swarm", "leave", "--force")


def task(swarm: str, service: str, number: int = 1) -> str:
    """Id of the container that runs a task; empty where none does."""
    return docker("ps", "--quiet", "--filter", f"name={swarm}_{service}.{number}.").strip()


def ask(swarm: str, url: str) -> str:
    """What the load generator gets from `url`; empty where it gets nothing."""
    inside = task(swarm, "locust")
    return docker("exec", inside, "python", "-c", ASK, url, check=False) if inside else ""


def test_services_scale_workers_join_and_a_dead_replica_is_replaced(swarm: str) -> None:
    item = "http://fastapi-async:8000/items/1"
    await_that(lambda: ask(swarm, item).startswith('{"id":1,'), what="the service answers")
    docker("service", "scale", "--detach", f"{swarm}_fastapi-async=2")
    await_that(lambda: _targets(swarm) == 2, what="Prometheus finds both replicas")
    await_that(lambda: _workers(swarm) == 2, what="two workers")
    killed = task(swarm, "fastapi-async", 2)
    docker("kill", killed)
    await_that(lambda: task(swarm, "fastapi-async", 2) not in ("", killed), what="a new one")
    assert ask(swarm, item).startswith('{"id":1,')


def test_a_swarm_of_a_dead_run_is_left_and_that_of_somebody_else_is_not() -> None:
    ours = docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip() == "inactive"
    if ours:
        ended = subprocess.Popen(["true"])
        ended.wait()
        remains.start_swarm(remains.name_of(ended.pid))
    remains.clear()
    state = docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip()
    assert state == ("inactive" if ours else "active")


def _workers(swarm: str) -> int:
    """How many load workers Locust has; none where its page does not answer yet."""
    said = ask(swarm, "http://127.0.0.1:8089/stats/requests")
    return len(json.loads(said)["workers"]) if said.startswith("{") else 0


def _targets(swarm: str) -> int:
    said = ask(swarm, "http://prometheus:9090/api/v1/targets")
    targets = json.loads(said)["data"]["activeTargets"] if said.startswith("{") else []
    services = [
        each for each in targets if each["labels"]["job"] == "services" and each["health"] == "up"
    ]
    return len(services)
