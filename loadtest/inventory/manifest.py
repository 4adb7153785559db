"""The services under test, read from docker-compose.yml: nothing lists them a second time."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from loadtest.errors import LabError
from loadtest.system.paths import ROOT

COMPOSE_FILE = ROOT / "docker-compose.yml"
CONTAINER_PORT, CONTAINER_METRICS_PORT = 8000, 9000

VALIDATION = "validation"  # of the fields of an order
CLOSE_CODES = "close-codes"  # why a WebSocket is ended
REFUSED_ALOUD = "refusals"  # an answer to what is no HTTP
UPGRADES = "upgrades"  # an offer of HTTP/2 is left, or comes to an end
# What a service may leave out of the contract, if it says so.
OPTIONAL_PARTS = (VALIDATION, CLOSE_CODES, REFUSED_ALOUD, UPGRADES)
# Of its environment, what a record of a run tells.
_IN_RECORD = ("APPLICATION", "OPTIONS", "WORKERS", "THREADS", "POOL_SIZE")

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where there is one
_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?:(?P<operator>:?-)(?P<default>[^}]*))?\}|(?P<bare>\w+))"
)


class ManifestError(LabError):
    """docker-compose.yml cannot be used; the message says where and what to do."""


@dataclass(frozen=True)
class Service:
    """One service under test, as docker-compose.yml declares it. Ports are host ports."""

    name: str
    framework: str
    model: str
    command: tuple[str, ...]  # with `$PORT` and the like, filled in from its environment
    environment: Mapping[str, str]
    folder: Path  # where its code lives
    port: int
    metrics_port: int
    profiles: tuple[str, ...] = ()
    needs: str = ""  # the toolchain that it needs natively; none where Python serves
    build: str = ""  # what that runs in `folder` before the first start
    leaves_out: tuple[str, ...] = ()  # of the contract, on purpose: `OPTIONAL_PARTS`
    # What changes a port.
    port_variable: str = "the port in docker-compose.yml"
    metrics_port_variable: str = "the port in docker-compose.yml"

    @property
    def central(self) -> bool:
        """Whether a plain `docker compose up` starts the service."""
        return not self.profiles

    @property
    def described(self) -> dict[str, Any]:
        """What the record of a run says of it, as declared under the budget of the run."""
        return {
            "framework": self.framework,
            "model": self.model,
            "command": list(self.command),
            "leaves_out": list(self.leaves_out),
            "environment": {name: self.environment.get(name, "") for name in _IN_RECORD},
        }

    def url(self, backend: str = "native") -> str:
        """Base URL of the service as the load generator of `backend` reaches it."""
        if backend == "compose":
            return f"http://{self.name}:{CONTAINER_PORT}"
        return f"http://127.0.0.1:{self.port}"

    def metrics_url(self, backend: str = "native") -> str:
        """URL of the service's Prometheus metrics."""
        if backend == "compose":
            return f"http://{self.name}:{CONTAINER_METRICS_PORT}/metrics"
        return f"http://127.0.0.1:{self.metrics_port}/metrics"


def load(
    path: Path = COMPOSE_FILE, variables: Mapping[str, str] | None = None
) -> dict[str, Service]:
    """The services by name, in the file's order; `variables` (default: environment) fill `${…}`."""
    document = read_compose(path, variables)
    declared = _parsed(path)["services"]
    return {
        name: _service(path, name, service, declared[name])
        for name, service in document["services"].items()
        if _mapping(service.get("labels")).get("lab.role") == "service"
    }


def read_compose(path: Path, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Parse a compose file and interpolate its variables as Docker Compose does."""
    document = _parsed(path)
    return _interpolated(document, os.environ if variables is None else variables)  # type: ignore[no-any-return]


def _parsed(path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_text(), _LOADER)
    except FileNotFoundError:
        raise ManifestError(f"{path}: no such file; run from a clone of the lab") from None
    except yaml.YAMLError as error:
        raise ManifestError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
        raise ManifestError(f"{path}: has no services; is it a compose file?")
    return document


def choose(services: Mapping[str, Service], names: list[str]) -> dict[str, Service]:
    """The services called `names`, in that order; an unknown name is an error that lists
    the known.
    """
    for name in names:
        if name not in services:
            raise ManifestError(
                f"unknown service {name!r}; docker-compose.yml has: {', '.join(services)}"
            )
    return {name: services[name] for name in names}


def _service(
    path: Path, name: str, service: Mapping[str, Any], declared: Mapping[str, Any]
) -> Service:
    labels = _mapping(service.get("labels"))
    environment = _mapping(service.get("environment"))
    command = service.get("command", "")
    return Service(
        name=name,
        framework=_required(path, name, labels, "lab.framework"),
        model=_required(path, name, labels, "lab.model"),
        command=tuple(shlex.split(command) if isinstance(command, str) else command),
        environment=environment,
        folder=path.parent / _folder(name, service.get("build") or {}),
        port=_host_port(path, name, service, CONTAINER_PORT),
        metrics_port=_host_port(path, name, service, CONTAINER_METRICS_PORT),
        profiles=tuple(service.get("profiles") or ()),
        needs=labels.get("lab.needs", ""),
        build=labels.get("lab.build", ""),
        leaves_out=_leaves_out(path, name, labels),
        port_variable=_port_variable(declared, CONTAINER_PORT),
        metrics_port_variable=_port_variable(declared, CONTAINER_METRICS_PORT),
    )


def _folder(name: str, build: Mapping[str, Any]) -> Path:
    """Where the code lies: the folder that a shared Dockerfile is told, else the Dockerfile's."""
    context = Path(build.get("context", "services"))
    told = _mapping(build.get("args")).get("FOLDER")
    return context / (told or Path(build.get("dockerfile", f"{name}/Dockerfile")).parent)


def _leaves_out(path: Path, name: str, labels: Mapping[str, str]) -> tuple[str, ...]:
    parts = tuple(labels.get("lab.leaves-out", "").split())
    for part in parts:
        if part not in OPTIONAL_PARTS:
            raise ManifestError(
                f"{path}: service {name}: label lab.leaves-out: {part!r} is none of: "
                + ", ".join(OPTIONAL_PARTS)
            )
    return parts


def _required(path: Path, name: str, labels: Mapping[str, str], label: str) -> str:
    if label not in labels:
        raise ManifestError(f"{path}: service {name}: label {label} is missing; add it")
    return labels[label]


def _host_port(path: Path, name: str, service: Mapping[str, Any], target: int) -> int:
    for published in service.get("ports") or ():
        *_, host, container = str(published).split(":")
        if container == str(target):
            return _port(path, name, host)
    raise ManifestError(f"{path}: service {name}: publish port {target} as 127.0.0.1:HOST:{target}")


def _port(path: Path, name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise ManifestError(f"{path}: service {name}: {text!r} is no port; give 1 to 65535")
    return int(text)


def _port_variable(declared: Mapping[str, Any], target: int) -> str:
    for published in declared.get("ports") or ():
        if str(published).endswith(f":{target}") and (match := _VARIABLE.search(str(published))):
            return match["name"] or match["bare"]
    return "the port in docker-compose.yml"


def _mapping(value: object) -> dict[str, str]:
    """Labels and environment come as a mapping or as a list of `key=value`."""
    if isinstance(value, dict):
        return {str(key): "" if item is None else str(item) for key, item in value.items()}
    pairs = (str(item).partition("=") for item in value or ())  # type: ignore[attr-defined]
    return {key: item for key, _, item in pairs}


def _interpolated(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return _VARIABLE.sub(lambda match: _value(match, variables), node)
    if isinstance(node, dict):
        return {key: _interpolated(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_interpolated(value, variables) for value in node]
    return node


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["escaped"]:
        return "$"
    value = variables.get(match["name"] or match["bare"])
    if value is None or (value == "" and match["operator"] == ":-"):
        return match["default"] or ""
    return value
