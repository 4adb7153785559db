"""What `docker stack deploy` understands of the lab's compose file; `containers/swarm` uses it.

    docker compose config --format json | python -m loadtest.backends.swarm FOLDER > stack.json

FOLDER has the passwords: the engine that deploys hands them out as secrets, since a volume would be
one on each node.

Source of what Swarm takes: the Compose file format 3.13 of Docker's command line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

SERVICE_KEYS = (
    *("cap_add", "cap_drop", "command", "configs", "deploy", "entrypoint", "environment"),
    *("healthcheck", "image", "init", "labels", "logging", "networks", "read_only"),
    *("stop_grace_period", "stop_signal", "ulimits", "user", "volumes"),
)
# Swarm replaces what does not answer, and what is only busy is not at fault: two minutes.
RETRIES = 12
PASSWORDS = "/run/passwords/"  # below it a volume with the file `password` is mounted for each


def services(
    document: Mapping[str, Any],
    passwords: str,
    *,
    publish: bool = False,
    service_per_node: bool = False,
) -> dict[str, Any]:
    """The stack for `document`, which `docker compose config` made.

    Names lead straight to the replicas (round robin), with no balancer in between that would be
    measured as well. Nothing is published, since Swarm cannot publish to loopback alone; `publish`
    opens the ports of everything but the services on the nodes where they run. With
    `service_per_node` a service goes only to nodes with the label `lab.service=NAME`. `passwords`
    is the folder with a file for each volume of a password.
    """
    secret = {
        volume["source"]
        for each in document["services"].values()
        for volume in filter(_is_password, each.get("volumes", ()))
    }
    stack: dict[str, Any] = {
        "volumes": {
            name: each for name, each in document.get("volumes", {}).items() if name not in secret
        },
        "secrets": {name: {"file": f"{passwords}/{name}"} for name in sorted(secret)},
    }
    stack["networks"] = {name: _network(each) for name, each in document["networks"].items()}
    stack["services"] = {
        name: _service(name, each, publish=publish, service_per_node=service_per_node)
        for name, each in document["services"].items()
    }
    return stack


def _network(network: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in network.items() if key != "ipam"}


def _service(
    name: str, service: Mapping[str, Any], *, publish: bool, service_per_node: bool
) -> dict[str, Any]:
    kept = {key: service[key] for key in SERVICE_KEYS if service.get(key) is not None}
    is_service = service.get("labels", {}).get("lab.role") == "service"
    kept["deploy"] = _deploy(
        service.get("deploy", {}), name if is_service and service_per_node else ""
    )
    volumes = service.get("volumes", ())
    kept["volumes"] = [_volume(each) for each in volumes if not _is_password(each)]
    kept["secrets"] = [_secret(each) for each in volumes if _is_password(each)]
    if "healthcheck" in kept:
        kept["healthcheck"] = {**kept["healthcheck"], "retries": RETRIES}
    if publish and not is_service:
        kept["ports"] = [_port(each) for each in service.get("ports", ())]
    return kept


def _deploy(deploy: Mapping[str, Any], only_on: str) -> dict[str, Any]:
    limits = dict(deploy.get("resources", {}).get("limits", {}))
    placement = dict(deploy.get("placement") or {})
    if "cpus" in limits:
        limits["cpus"] = str(limits["cpus"])
    if only_on:
        placement["constraints"] = [
            *placement.get("constraints", ()),
            f"node.labels.lab.service == {only_on}",
        ]
    return {
        "endpoint_mode": "dnsrr",
        **deploy,
        "resources": {"limits": limits},
        "placement": placement,
    }


def _is_password(volume: Mapping[str, Any]) -> bool:
    return str(volume["target"]).startswith(PASSWORDS)


def _secret(volume: Mapping[str, Any]) -> dict[str, str]:
    return {"source": volume["source"], "target": f"{volume['target']}/password"}


def _volume(volume: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in volume.items() if key not in ("bind", "volume")}
    if "tmpfs" in kept:
        kept["tmpfs"] = {"size": int(kept["tmpfs"]["size"])}
    return kept


def _port(port: Mapping[str, Any]) -> dict[str, Any]:
    return {"target": port["target"], "published": int(port["published"]), "mode": "host"}


def main(arguments: list[str]) -> int:
    """Convert standard input to standard output."""
    match arguments:
        case [passwords, *options]:
            made = services(
                json.load(sys.stdin),
                passwords,
                publish="publish" in options,
                service_per_node="service-per-node" in options,
            )
            print(json.dumps(made, indent=1))
        case _:
            print(
                "usage: python -m loadtest.backends.swarm FOLDER [publish] [service-per-node]",
                file=sys.stderr,
            )
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
