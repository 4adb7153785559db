"""What Prometheus scrapes in containers: prometheus/prometheus.yml with the services filled in.

    python -m loadtest.backends.targets compose > prometheus.yml
    python -m loadtest.backends.targets swarm > swarm.yml

Prometheus cannot read docker-compose.yml, so its image is built with these two.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Any

import yaml

from loadtest.inventory import manifest
from loadtest.system.paths import ROOT

TARGETS_FILE = ROOT / "prometheus" / "prometheus.yml"
SERVICES_JOB = "services"


def compose(names: Collection[str]) -> dict[str, Any]:
    """Each service is a target by its name, also while it is away."""
    targets = [f"{name}:{manifest.CONTAINER_METRICS_PORT}" for name in names]
    return {
        "static_configs": [
            {"targets": [target], "labels": {"service": name}}
            for name, target in zip(names, targets, strict=True)
        ]
    }


def swarm(names: Collection[str]) -> dict[str, Any]:
    """Each replica of a service is a target, found by DNS."""
    return {
        "dns_sd_configs": [
            {
                "names": [f"tasks.{name}" for name in names],
                "type": "A",
                "port": manifest.CONTAINER_METRICS_PORT,
                "refresh_interval": "5s",
            }
        ],
        "relabel_configs": [
            {
                "source_labels": ["__meta_dns_name"],
                "regex": r"tasks\.(.+)",
                "target_label": "service",
            }
        ],
    }


def filled_in(document: Mapping[str, Any], services: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration `document` whose job of the services has the targets `services`."""
    jobs = [
        job | services if job["job_name"] == SERVICES_JOB else job
        for job in document["scrape_configs"]
    ]
    return {**document, "scrape_configs": jobs}


def main(arguments: list[str]) -> int:
    """Print the configuration for one of the two; the exit code."""
    kinds = {"compose": compose, "swarm": swarm}
    if len(arguments) != 1 or arguments[0] not in kinds:
        print("usage: python -m loadtest.backends.targets compose|swarm", file=sys.stderr)
        return 2
    services = kinds[arguments[0]](manifest.load(variables={}))
    document = filled_in(yaml.safe_load(TARGETS_FILE.read_text()), services)
    print(yaml.safe_dump(document, sort_keys=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
