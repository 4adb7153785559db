"""The scrape configuration, the recording rules, and what the native mode makes of them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from loadtest.backends import prometheus
from loadtest.inventory import manifest

FOLDER = prometheus.CONFIGURATION
SERVICES = manifest.load(variables={})


def rules() -> list[dict[str, str]]:
    groups = yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def jobs(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {job["job_name"]: job.get("static_configs", []) for job in document["scrape_configs"]}


def test_every_other_target_is_a_service_of_the_compose_file() -> None:
    services = manifest.read_compose(manifest.COMPOSE_FILE, {})["services"]
    targets = jobs(yaml.safe_load((FOLDER / "prometheus.yml").read_text()))
    hosts = {
        target.partition(":")[0]
        for job, groups in targets.items()
        if job != "prometheus"
        for group in groups
        for target in group["targets"]
    }
    assert hosts <= set(services)


def test_cadvisor_is_asked_only_where_its_profile_has_started_it() -> None:
    services = manifest.read_compose(manifest.COMPOSE_FILE, {})["services"]
    assert services["cadvisor"]["profiles"] == ["containers"]
    document = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert jobs(document)["containers"] == [], "found by name, so that its absence is no target"


def test_prometheus_accepts_the_configuration() -> None:
    promtool("check", "config", "prometheus.yml")


def test_the_rules_compute_what_they_say() -> None:
    promtool("test", "rules", "rules_test.yml")


def test_every_rule_has_a_test() -> None:
    tested = (FOLDER / "rules_test.yml").read_text()
    assert [rule["record"] for rule in rules() if rule["record"] not in tested] == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["record"])
def test_every_rule_parses(rule: dict[str, str]) -> None:
    promql_parser.parse(rule["expr"])


def test_native_targets_are_on_the_loopback(tmp_path: Path) -> None:
    services = {name: SERVICES[name] for name in ("fastapi-async", "flask-sync")}
    document = prometheus.configuration(services, 9999, load_port=8888, postgres_port=7777)
    assert jobs(document) == {
        "services": [
            {
                "targets": [f"127.0.0.1:{service.metrics_port}"],
                "labels": {"service": name},
            }
            for name, service in services.items()
        ],
        "load": [{"targets": ["127.0.0.1:8888"]}],
        "postgres": [{"targets": ["127.0.0.1:7777"]}],
        "prometheus": [{"targets": ["127.0.0.1:9999"]}],
    }
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(document))
    promtool("check", "config", str(path))


def test_without_postgres_exporter_nothing_is_scraped_in_vain() -> None:
    assert "postgres" not in jobs(prometheus.configuration(SERVICES, 9999))


def promtool(*arguments: str) -> None:
    finished = subprocess.run(
        ["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
