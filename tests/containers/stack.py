"""The lab in containers of its own: a project name, ports and passwords that nothing else uses."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from loadtest.inventory import manifest
from loadtest.inventory.manifest import COMPOSE_FILE, read_compose
from loadtest.system import idleness, ports
from loadtest.system.paths import ROOT
from tests import cloned
from tests.waiting import eventually

PROFILES = sorted(
    {name for service in manifest.load(variables={}).values() for name in service.profiles}
)
# What no stand-in can be made of; with the real image at hand it runs as well.
OPTIONAL = {"cadvisor"}
PROXY = "http://127.0.0.1:9"  # nothing listens there
WORKERS = ("--scale", "locust-worker=4")
PATIENCE_S = 300.0  # other programs may leave the machine little CPU


def docker(
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    check: bool = True,
    cwd: Path = ROOT,
) -> str:
    """What a docker command printed; where it fails, its errors are the assertion's message."""
    done = subprocess.run(
        ["docker", *arguments],
        cwd=cwd,
        env=os.environ | dict(variables or {}),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr[-4000:]}"
    return done.stdout if check else done.stdout + done.stderr


def prune(project: str) -> None:
    """Remove what builds of a project have left without a name: one image a service and build."""
    label = f"label=com.docker.compose.project={project}"
    docker("image", "prune", "--force", "--filter", label, check=False)


def await_that(condition: Callable[[], bool], *, what: str) -> None:
    """Ask again until `condition` holds; an error on the way counts as not yet."""

    def holds() -> bool:
        with contextlib.suppress(OSError):
            return condition()
        return False

    assert eventually(holds, PATIENCE_S, every_s=0.2), f"not within {PATIENCE_S:.0f} s: {what}"


def fetch(url: str, data: bytes | None = None, timeout_s: float = 30) -> str:
    """The body of a 2xx answer; raises OSError for any other."""
    with urllib.request.urlopen(url, data=data, timeout=timeout_s) as response:
        return str(response.read().decode())


@contextlib.contextmanager
def unbroken(url: str) -> Iterator[None]:
    """Ask for `url` all along; a single failure fails the test."""
    done = threading.Event()
    failures: list[str] = []

    def ask() -> None:
        while not done.wait(0.1):
            try:
                fetch(url)
            except OSError as error:
                failures.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        done.set()
        asking.join()
    assert failures == []


class Stack:
    """`docker compose` for one project in the clone `folder`; `close` removes all of it."""

    def __init__(self, name: str, folder: Path = ROOT) -> None:
        self.name, self._folder = name, folder
        variables = sorted(set(re.findall(r"\$\{(\w+_PORT):-", COMPOSE_FILE.read_text())))
        self.variables = {
            "COMPOSE_PROJECT_NAME": name,
            "COMPOSE_PROFILES": ",".join(PROFILES),
            **{
                key: str(port)
                for key, port in zip(variables, ports.free(len(variables)), strict=True)
            },
        }

    def compose(self, *arguments: str, check: bool = True, **variables: str) -> str:
        """What `docker compose …` printed."""
        return docker(
            "compose",
            *arguments,
            variables=self.variables | variables,
            check=check,
            cwd=self._folder,
        )

    def services(self) -> list[str]:
        """Every service whose image is built here or present."""
        document = json.loads(self.compose("config", "--format", "json"))["services"]
        return [
            name
            for name, service in document.items()
            if name not in OPTIONAL or _present(service["image"])
        ]

    def up(self, services: Sequence[str], *options: str, **variables: str) -> None:
        """Start `services` and whatever they need, and wait until they are healthy.

        Compose gives up once one of them is unhealthy. On a busy machine it is asked again.
        """
        arguments = ("up", "--detach", "--wait", "--wait-timeout", "180", *options, *services)
        patient_until = time.monotonic() + PATIENCE_S
        said = self.compose(*arguments, check=False, **variables)
        while left := self._unhealthy(services, **variables):
            if not idleness.why_busy() or time.monotonic() > patient_until:
                logs = self.compose("logs", "--tail", "30", *left, check=False, **variables)
                raise AssertionError(f"not up: {', '.join(left)}; {said}{logs}")
            said = self.compose(*arguments, check=False, **variables)

    def _unhealthy(self, services: Sequence[str], **variables: str) -> list[str]:
        """Those of `services` that don't run, or are not healthy."""
        states = {
            each["Config"]["Labels"]["com.docker.compose.service"]: each["State"]
            for each in self.containers(*services, **variables)
        }
        well = {name for name, state in states.items() if _running_and_healthy(state)}
        return [name for name in services if name not in well]

    def containers(self, *services: str, **variables: str) -> list[dict[str, Any]]:
        """What the engine knows of the project's containers, stopped ones included."""
        ids = self.compose("ps", "--all", "--quiet", *services, check=True, **variables).split()
        return list(json.loads(docker("inspect", *ids))) if ids else []

    def container(self, service: str) -> dict[str, Any]:
        """What the engine knows of the one container of `service`."""
        (found,) = self.containers(service)
        return found

    def password(self, role: str) -> str:
        """What Postgres has drawn for `role`."""
        return self.compose("exec", "-T", "postgres", "cat", f"/run/passwords/{role}/password")

    def url(self, service: str, port: int) -> str:
        """Where `port` of the service is published, also while it is away."""
        published = read_compose(COMPOSE_FILE, self.variables)["services"][service]["ports"]
        (address,) = (each for each in published if each.endswith(f":{port}"))
        return f"http://{address.removesuffix(f':{port}')}"

    def ready(self, service: str) -> bool:
        """Whether the service answers; raises OSError where it does not."""
        return bool(fetch(f"{self.url(service, 8000)}/readyz", timeout_s=3))

    def send_away(self, service: str, act: str) -> None:
        """`docker stop`, `kill` or `pause` the container of `service`.

        On a busy machine an engine may be unable to freeze one: then it is asked again.
        """
        identity = self.container(service)["Id"]
        await_that(lambda: docker(act, identity, check=False).strip() == identity, what=act)

    def signal(self, service: str, name: str, *, to_all: bool = False) -> None:
        """Signal the container's first process, or all of them, as nothing but the kernel would."""
        container = self.container(service)
        first, others = str(container["State"]["Pid"]), set[str]()
        if to_all:
            listed = docker("top", container["Id"], "-eo", "pid").split()[1:]
            others = set(listed) - {first}
        image = self.container("postgres")["Image"]
        tool = (
            "--rm",
            "--pid=host",
            "--privileged",
            "--user=0",
            "--network=none",
            "--entrypoint=sh",
        )
        # A health check that was listed may have ended since.
        tell = f"kill -{name} $each || ! test -e /proc/$each || exit 1"
        to_others = f"for each in {' '.join(others)}; do {tell}; done"
        docker("run", *tool, image, "-c", f"kill -{name} {first} && {to_others}")

    def renew(self) -> None:
        """Make every service anew: a test that has failed leaves the next ones a whole lab."""
        self.up(self.services(), "--force-recreate", *WORKERS)

    def close(self) -> None:
        """Remove containers, networks, volumes, and images that a later build has replaced."""
        self.compose("--profile", "*", "down", "--volumes", "--timeout", "5")
        prune(self.name)

    def leftovers(self) -> str:
        """Ids of containers, networks and volumes that still carry the project's label."""
        label = ("--quiet", "--filter", f"label=com.docker.compose.project={self.name}")
        listings = (("ps", "--all"), ("network", "ls"), ("volume", "ls"))
        return "".join(docker(*listing, *label) for listing in listings)


def closed_clone(folder: Path) -> Path:
    """A copy of the lab with the modes that a umask of 077 gives; only its owner may read it."""
    cloned.clone(folder)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
    return folder


def client_with_a_proxy(folder: Path) -> Path:
    """A configuration of Docker's client, as it is but for a proxy in every container."""
    usual = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker"))
    folder.mkdir()
    for path in usual.iterdir() if usual.is_dir() else ():
        (folder / path.name).symlink_to(path.resolve())
    configuration = folder / "config.json"
    said = json.loads(configuration.read_text()) if configuration.exists() else {}
    configuration.unlink(missing_ok=True)
    proxies = {"default": {"httpProxy": PROXY, "httpsProxy": PROXY, "noProxy": "example.org"}}
    configuration.write_text(json.dumps(said | {"proxies": proxies}))
    return folder


def _present(image: str) -> bool:
    return docker("images", "--quiet", image).strip() != ""


def _running_and_healthy(state: Mapping[str, Any]) -> bool:
    health = state.get("Health", {}).get("Status")
    return bool(state["Status"] == "running" and health == "healthy")
