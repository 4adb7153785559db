"""Each service that is compared across languages has a minimal server, which answers alike."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from pathlib import Path

from benchmarks import minimal
from loadtest.backends.native import Lab
from loadtest.inventory import builds, manifest
from loadtest.plan import reader


def test_every_compared_service_has_a_minimal_server_that_answers(tmp_path: Path) -> None:
    compared = reader.load_all()["framework-throughput"].services
    services, _ = builds.available(manifest.choose(manifest.load(), list(compared)))
    beside = [minimal.beside(service) for service in services.values()]
    assert None not in beside
    servers = {
        name: replace(server, name=name)
        for name, server in zip(services, beside, strict=True)
        if server is not None
    }
    with Lab(servers, host_ports="free", state=tmp_path, pin=False) as running:
        for server in running.services.values():
            with urllib.request.urlopen(f"{server.url()}/json", timeout=20) as answer:
                assert json.load(answer) == {"message": "Hello, World!"}, server.name
