"""What `docker stack deploy` understands of the lab's compose file; `containers/swarm` uses it.

    docker compose config --format json | python -m loadtest.backends.swarm services > stack.json
    python -m loadtest.backends.swarm prometheus < prometheus/prometheus.yml > swarm/prometheus.yml

Source of what Swarm takes: the Compose file format 3.13 of Docker's command line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import yaml

SERVICE_KEYS = (
    *("cap_add", "cap_drop", "command", "configs", "deploy", "entrypoint", "environment"),
    *("healthcheck", "image", "init", "labels", "logging", "networks", "read_only", "secrets"),
    *("stop_grace_period", "stop_signal", "ulimits", "user", "volumes"),
)
# Swarm replaces what does not answer, and what is only busy is not at fault: two minutes.
RETRIES = 12
METRICS_PORT = 9000


def services(
    document: Mapping[str, Any], *, publish: bool = False, service_per_node: bool = False
) -> dict[str, Any]:
    """The stack for `document`, which `docker compose config` made.

    Names lead straight to the replicas (round robin), with no balancer in between that would be
    measured as well. Nothing is published, since Swarm cannot publish to loopback alone; `publish`
    opens the ports of everything but the services on the nodes where they run. With
    `service_per_node` a service goes only to nodes with the label `lab.service=NAME`.
    """
    stack = {key: document[key] for key in ("networks", "volumes", "secrets") if key in document}
    stack["networks"] = {name: _network(each) for name, each in document["networks"].items()}
    stack["services"] = {
        name: _service(name, each, publish=publish, service_per_node=service_per_node)
        for name, each in document["services"].items()
    }
    return stack


def prometheus(document: Mapping[str, Any]) -> dict[str, Any]:
    """The scrape configuration with every replica of a service as a target of its own, found by
    DNS.
    """
    jobs = [
        _by_name(each) if each["job_name"] == "services" else each
        for each in document["scrape_configs"]
    ]
    return {**document, "scrape_configs": jobs}


def _by_name(job: Mapping[str, Any]) -> dict[str, Any]:
    names = [f"tasks.{each['labels']['service']}" for each in job["static_configs"]]
    kept = {key: value for key, value in job.items() if key != "static_configs"}
    return {
        **kept,
        "dns_sd_configs": [
            {"names": names, "type": "A", "port": METRICS_PORT, "refresh_interval": "5s"}
        ],
        "relabel_configs": [
            {
                "source_labels": ["__meta_dns_name"],
                "regex": r"tasks\.(.+)",
                "target_label": "service",
            }
        ],
    }


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
    kept["volumes"] = [_volume(each) for each in service.get("volumes", ())]
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
        case ["services", *options]:
            made = services(
                json.load(sys.stdin),
                publish="publish" in options,
                service_per_node="service-per-node" in options,
            )
            print(json.dumps(made, indent=1))
        case ["prometheus"]:
            print(yaml.safe_dump(prometheus(yaml.safe_load(sys.stdin)), sort_keys=False))
        case _:
            print("usage: python -m loadtest.backends.swarm services|prometheus", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
