"""What Prometheus scrapes in containers: every service, and what else there is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from loadtest.backends import targets
from loadtest.inventory import manifest
from loadtest.system.paths import ROOT

BEFORE: dict[str, Any] = yaml.safe_load(targets.TARGETS_FILE.read_text())
NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), unique=True, min_size=1)


def jobs(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in document["scrape_configs"]}


def printed(kind: str) -> str:
    command = [sys.executable, "-m", "loadtest.backends.targets", kind]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@given(NAMES)
def test_each_service_is_a_target_under_its_name(names: list[str]) -> None:
    made = jobs(targets.filled_in(BEFORE, targets.compose(names)))["services"]["static_configs"]
    assert {each["labels"]["service"]: each["targets"] for each in made} == {
        name: [f"{name}:9000"] for name in names
    }


@given(NAMES)
def test_in_a_swarm_dns_is_asked_for_each_service(names: list[str]) -> None:
    made = jobs(targets.filled_in(BEFORE, targets.swarm(names)))["services"]
    (found,) = made["dns_sd_configs"]
    assert found["names"] == [f"tasks.{name}" for name in names]
    assert found["port"] == 9000
    assert "static_configs" not in made


@pytest.mark.parametrize("kind", ["compose", "swarm"])
def test_what_is_printed_names_the_services_and_leaves_the_rest(kind: str, tmp_path: Path) -> None:
    text = printed(kind)
    after = jobs(yaml.safe_load(text))
    for name in manifest.load(variables={}):
        assert name in yaml.safe_dump(after["services"])
    others = {name: job for name, job in jobs(BEFORE).items() if name != "services"}
    assert {name: job for name, job in after.items() if name != "services"} == others
    (tmp_path / "prometheus.yml").write_text(text)
    (tmp_path / "rules.yml").symlink_to(ROOT / "prometheus/rules.yml")
    checked = ["promtool", "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_says_how_it_is_used() -> None:
    command = [sys.executable, "-m", "loadtest.backends.targets", "nonsense"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "usage" in done.stderr
