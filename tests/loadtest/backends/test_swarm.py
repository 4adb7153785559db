"""The compose file as a Swarm takes it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import yaml

from loadtest.backends import swarm
from loadtest.inventory import manifest
from loadtest.system.paths import ROOT

pytestmark = pytest.mark.timed

SERVICE: dict[str, Any] = {
    "image": "concurrency-lab/go:0.1.0",
    "build": {"context": "services"},
    "command": ["./server"],
    "depends_on": {"postgres": {"condition": "service_healthy"}},
    "deploy": {"resources": {"limits": {"cpus": 0.5, "memory": "64", "pids": 9}}, "placement": {}},
    "entrypoint": None,
    "healthcheck": {"test": ["CMD", "./server", "healthcheck"], "retries": 3},
    "labels": {"lab.role": "service"},
    "ports": [{"mode": "ingress", "host_ip": "127.0.0.1", "target": 8000, "published": "8012"}],
    "read_only": True,
    "volumes": [{"type": "tmpfs", "target": "/tmp", "tmpfs": {"size": "1024"}}],
}
PAGE: dict[str, Any] = {
    "image": "page:1",
    "ports": [{"mode": "ingress", "host_ip": "127.0.0.1", "target": 80, "published": "8089"}],
    "volumes": [
        {"type": "bind", "source": "/a", "target": "/b", "bind": {"create_host_path": True}}
    ],
}
DOCUMENT: dict[str, Any] = {
    "name": "lab",
    "networks": {"lab": {"name": "lab_lab", "ipam": {}, "attachable": True}},
    "services": {"go": SERVICE, "page": PAGE},
    "x-service": {},
}


def test_only_what_swarm_knows_is_left() -> None:
    made = swarm.services(DOCUMENT)
    assert made.keys() == {"networks", "services"}
    assert made["networks"] == {"lab": {"name": "lab_lab", "attachable": True}}
    service = made["services"]["go"]
    assert not service.keys() & {"build", "depends_on", "entrypoint", "ports"}
    assert service["read_only"] is True
    assert service["volumes"] == [{"type": "tmpfs", "target": "/tmp", "tmpfs": {"size": 1024}}]
    assert made["services"]["page"]["volumes"] == [{"type": "bind", "source": "/a", "target": "/b"}]


def test_limits_stay_and_names_lead_to_the_replicas() -> None:
    deploy = swarm.services(DOCUMENT)["services"]["go"]["deploy"]
    assert deploy["resources"]["limits"] == {"cpus": "0.5", "memory": "64", "pids": 9}
    assert deploy["endpoint_mode"] == "dnsrr"
    assert deploy["placement"] == {}


def test_what_is_only_busy_has_two_minutes_before_it_is_replaced() -> None:
    made = swarm.services(DOCUMENT)["services"]["go"]["healthcheck"]
    assert made == {"test": ["CMD", "./server", "healthcheck"], "retries": 12}


def test_publish_opens_pages_and_no_service() -> None:
    made = swarm.services(DOCUMENT, publish=True)["services"]
    assert made["page"]["ports"] == [{"target": 80, "published": 8089, "mode": "host"}]
    assert "ports" not in made["go"]


def test_service_per_node_asks_for_the_label_of_the_service() -> None:
    made = swarm.services(DOCUMENT, service_per_node=True)["services"]
    assert made["go"]["deploy"]["placement"]["constraints"] == ["node.labels.lab.service == go"]
    assert made["page"]["deploy"]["placement"] == {}


def test_prometheus_asks_dns_for_every_replica_of_every_service() -> None:
    before = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    after = swarm.prometheus(before)
    jobs = {each["job_name"]: each for each in after["scrape_configs"]}
    (found,) = jobs["services"]["dns_sd_configs"]
    assert found["names"] == [f"tasks.{name}" for name in manifest.load()]
    assert found["port"] == manifest.CONTAINER_METRICS_PORT
    assert "static_configs" not in jobs["services"]
    others = [each for each in before["scrape_configs"] if each["job_name"] != "services"]
    assert [each for name, each in jobs.items() if name != "services"] == others


def test_the_command_says_how_it_is_used() -> None:
    command = [sys.executable, "-m", "loadtest.backends.swarm", "nonsense"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "usage" in done.stderr
