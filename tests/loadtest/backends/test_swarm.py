"""The compose file as a Swarm takes it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from loadtest.backends import swarm
from loadtest.system.paths import ROOT

FOLDER = "/state/secrets"
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
    "volumes": [
        {"type": "tmpfs", "target": "/tmp", "tmpfs": {"size": "1024"}},
        {
            "type": "volume",
            "source": "lab-password",
            "target": "/run/passwords/lab",
            "read_only": True,
        },
    ],
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
    "volumes": {"lab-password": {"name": "lab_lab-password"}, "data": {"name": "lab_data"}},
    "x-service": {},
}


def test_only_what_swarm_knows_is_left() -> None:
    made = swarm.services(DOCUMENT, FOLDER)
    assert made.keys() == {"networks", "secrets", "services", "volumes"}
    assert made["networks"] == {"lab": {"name": "lab_lab", "attachable": True}}
    service = made["services"]["go"]
    assert not service.keys() & {"build", "depends_on", "entrypoint", "ports"}
    assert service["read_only"] is True
    assert service["volumes"] == [{"type": "tmpfs", "target": "/tmp", "tmpfs": {"size": 1024}}]
    assert made["services"]["page"]["volumes"] == [{"type": "bind", "source": "/a", "target": "/b"}]


def test_a_password_is_a_secret_since_a_volume_would_be_one_on_each_node() -> None:
    made = swarm.services(DOCUMENT, FOLDER)
    secret = {"source": "lab-password", "target": "/run/passwords/lab/password"}
    assert made["services"]["go"]["secrets"] == [secret]
    assert made["secrets"] == {"lab-password": {"file": "/state/secrets/lab-password"}}
    assert made["volumes"] == {"data": {"name": "lab_data"}}


def test_limits_stay_and_names_lead_to_the_replicas() -> None:
    deploy = swarm.services(DOCUMENT, FOLDER)["services"]["go"]["deploy"]
    assert deploy["resources"]["limits"] == {"cpus": "0.5", "memory": "64", "pids": 9}
    assert deploy["endpoint_mode"] == "dnsrr"
    assert deploy["placement"] == {}


def test_what_is_only_busy_has_two_minutes_before_it_is_replaced() -> None:
    made = swarm.services(DOCUMENT, FOLDER)["services"]["go"]["healthcheck"]
    assert made == {"test": ["CMD", "./server", "healthcheck"], "retries": 12}


def test_publish_opens_pages_and_no_service() -> None:
    made = swarm.services(DOCUMENT, FOLDER, publish=True)["services"]
    assert made["page"]["ports"] == [{"target": 80, "published": 8089, "mode": "host"}]
    assert "ports" not in made["go"]


def test_service_per_node_asks_for_the_label_of_the_service() -> None:
    made = swarm.services(DOCUMENT, FOLDER, service_per_node=True)["services"]
    assert made["go"]["deploy"]["placement"]["constraints"] == ["node.labels.lab.service == go"]
    assert made["page"]["deploy"]["placement"] == {}


def test_the_command_says_how_it_is_used() -> None:
    command = [sys.executable, "-m", "loadtest.backends.swarm"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "usage" in done.stderr
