"""The whole compose file, run by a real engine from built images."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
from collections.abc import Sequence
from typing import IO, Any

import pytest

from loadtest.contract import conformance
from loadtest.inventory import manifest
from loadtest.inventory.manifest import COMPOSE_FILE, read_compose
from tests.containers.stack import PROFILES, PROXY, Stack, await_that, docker, fetch

pytestmark = pytest.mark.container
SERVICES = manifest.load(variables={})
ROLES = ("lab", "monitor")


@pytest.mark.parametrize("name", SERVICES)
def test_the_service_keeps_the_contract_through_its_published_port(stack: Stack, name: str) -> None:
    service = SERVICES[name]
    expected = {"service": name, "framework": service.framework, "model": service.model}
    assert conformance.check(stack.url(name, 8000), expected, service.leaves_out) == []


def test_limits_are_in_force(stack: Stack) -> None:
    services = read_compose(COMPOSE_FILE, {})["services"]
    for container in stack.containers():
        declared = services[container["Config"]["Labels"]["com.docker.compose.service"]]
        limits = declared["deploy"]["resources"]["limits"]
        assert container["HostConfig"]["NanoCpus"] == float(limits["cpus"]) * 1e9
        assert container["HostConfig"]["Memory"] == _bytes(limits["memory"])
        assert container["HostConfig"]["PidsLimit"] == limits["pids"]


def test_no_process_is_root_and_no_root_file_system_is_writable(stack: Stack) -> None:
    for container in stack.containers():
        users = docker("top", container["Id"], "-eo", "pid,uid").split()[3::2]
        assert users, container["Name"]
        assert "0" not in users, container["Name"]
        assert container["HostConfig"]["ReadonlyRootfs"], container["Name"]
        assert container["HostConfig"]["CapDrop"] == ["ALL"], container["Name"]


def test_prometheus_sees_every_target_up(stack: Stack) -> None:
    def all_up() -> bool:
        answer = json.loads(fetch(f"{stack.url('prometheus', 9090)}/api/v1/targets?state=active"))
        targets = answer["data"]["activeTargets"]
        return len(targets) > len(SERVICES) and all(each["health"] == "up" for each in targets)

    await_that(all_up, what="every target of Prometheus is up")


def test_only_clients_reach_postgres(stack: Stack) -> None:
    probe = "import socket; socket.create_connection(('postgres', 5432), 3)"
    for service in SERVICES:
        if "python" in SERVICES[service].command[0]:
            stack.compose("exec", "-T", service, "python", "-c", probe)
    refused = stack.compose("exec", "-T", "locust", "python", "-c", probe, check=False)
    assert "gaierror" in refused
    assert stack.container("postgres")["NetworkSettings"]["Ports"] in ({}, {"5432/tcp": None})


def test_no_container_goes_through_the_proxy_of_dockers_client(stack: Stack) -> None:
    image = stack.container("postgres")["Image"]
    bare = ("run", "--rm", "--network=none", "--entrypoint=env", image)
    assert f"HTTP_PROXY={PROXY}" in docker(*bare, variables=stack.variables).split()
    for container in stack.containers():
        assert not [each for each in container["Config"]["Env"] if PROXY in each], container["Name"]


def test_passwords_are_drawn_and_readable_to_their_clients_alone(stack: Stack) -> None:
    lab, monitor = (stack.password(role) for role in ROLES)
    assert lab != monitor
    assert min(map(len, (lab, monitor))) > 32
    inside = "cat /run/passwords/*/password"
    seen = {
        name: stack.compose("exec", "-T", name, "sh", "-c", inside, check=False)
        for name in ("flask-sync", "postgres-exporter", "locust", "prometheus")
    }
    assert (seen["flask-sync"], seen["postgres-exporter"]) == (lab, monitor)
    for without in ("locust", "prometheus"):
        assert lab not in seen[without]
        assert monitor not in seen[without]


def test_the_password_shows_nowhere(stack: Stack) -> None:
    shown = stack.compose("config") + stack.compose("logs") + json.dumps(stack.containers())
    for image in {container["Image"] for container in stack.containers()}:
        shown += docker("history", "--no-trunc", image) + docker("inspect", image)
    for role in ROLES:
        assert stack.password(role) not in shown


def test_no_image_has_taken_in_the_password(stack: Stack) -> None:
    secrets = [stack.password(role).encode() for role in ROLES]
    services = read_compose(COMPOSE_FILE, {})["services"].values()
    up = set(PROFILES)
    built = {
        each["image"]
        for each in services
        if "build" in each and up.issuperset(each.get("profiles", ()))
    }
    containers = {each["Image"]: each for each in stack.containers()}
    ours = [each for each in containers.values() if each["Config"]["Image"] in built]
    assert {each["Config"]["Image"] for each in ours} == built
    for container in ours:
        export = ("docker", "export", container["Id"])
        with subprocess.Popen(export, stdout=subprocess.PIPE) as files:
            assert files.stdout is not None
            assert not _contains(files.stdout, secrets), container["Name"]
        assert files.returncode == 0


def test_a_load_over_the_page_of_locust_with_four_workers(stack: Stack) -> None:
    page = stack.url("locust", 8089)

    def stats() -> dict[str, object]:
        return dict(json.loads(fetch(f"{page}/stats/requests")))

    await_that(lambda: len(stats()["workers"]) == 4, what="four workers")  # type: ignore[arg-type]
    form = urllib.parse.urlencode({"user_count": 8, "spawn_rate": 8, "host": ""}).encode()
    assert json.loads(fetch(f"{page}/swarm", data=form))["success"]
    try:
        await_that(lambda: _requests(stats()) > 100, what="100 requests")
        await_that(lambda: stats()["state"] == "running", what="all users are there")
        seen = f"{stack.url('prometheus', 9090)}/api/v1/query?query=sum(lab_load_requests_total)"
        await_that(lambda: _value(fetch(seen)) > 100, what="Prometheus saw the load")
    finally:
        fetch(f"{page}/stop", data=b"")
    total = stats()
    assert total["errors"] == []


def test_an_image_of_a_python_service_is_small(stack: Stack) -> None:
    base = _size("python:3.14-slim-trixie")
    for name, service in SERVICES.items():
        if service.command[0] == "python":
            added = _size(stack.container(name)["Image"]) - base
            assert added <= 120e6, f"{name} adds {added / 1e6:.0f} MB"


def _contains(stream: IO[bytes], texts: Sequence[bytes]) -> bool:
    """Whether one of `texts` is in the stream, which is read to its end."""
    found, before = False, b""
    while chunk := stream.read(2**20):
        found = found or any(text in before + chunk for text in texts)
        before = chunk[-max(map(len, texts)) :]
    return found


def _value(answer: str) -> float:
    """The one value of a Prometheus answer, 0 where there is none yet."""
    result = json.loads(answer)["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


def _requests(stats: dict[str, object]) -> int:
    rows: list[dict[str, object]] = stats["stats"]  # type: ignore[assignment]
    return sum(int(str(row["num_requests"])) for row in rows if row["name"] == "Aggregated")


def _size(image: str) -> int:
    return int(docker("image", "inspect", "--format", "{{.Size}}", image))


def _bytes(text: str) -> int:
    return int(text[:-1]) * {"m": 2**20, "g": 2**30}[text[-1]]


def test_services_reach_postgres_through_a_pooler_where_one_is_asked_for(stack: Stack) -> None:
    name = "fastapi-async"
    asked = (
        f"SELECT DISTINCT host(client_addr) FROM pg_stat_activity WHERE application_name = '{name}'"
    )

    def addresses() -> list[str]:
        assert '"id":1,' in fetch(f"{stack.url(name, 8000)}/items/1")
        query = ("exec", "-T", "postgres", "psql", "-U", "lab", "-d", "lab", "-Atc", asked)
        return stack.compose(*query).split()

    pooled: dict[str, Any] = {"COMPOSE_PROFILES": f"{stack.variables['COMPOSE_PROFILES']},pooler"}
    try:
        stack.up(["pgbouncer", name], POOLER="pgbouncer", **pooled)
        pooler = stack.compose("exec", "-T", "pgbouncer", "hostname", "-i", **pooled).split()
        await_that(lambda: addresses() == pooler, what="all sessions are the pooler's")
    finally:
        stack.compose("rm", "--stop", "--force", "pgbouncer", **pooled)
        stack.up([name])
    # Its own address now, which may be the one that the pooler had.
    own = stack.compose("exec", "-T", name, "hostname", "-i").split()  # one in each network

    def its_own() -> bool:
        seen = addresses()
        return len(seen) == 1 and seen[0] in own

    await_that(its_own, what="all sessions are the service's own")
