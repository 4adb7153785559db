"""The tests that services in other languages bring along, run by their own tools."""

from __future__ import annotations

import subprocess

import pytest

from loadtest.inventory import builds, manifest

COMMANDS = {"node": ("node", "--test"), "go": ("go", "test", "./...")}
SERVICES = manifest.load()


@pytest.mark.parametrize("name", [each for each in COMMANDS if not builds.missing(SERVICES[each])])
def test_the_services_own_tests_pass(name: str) -> None:
    service = SERVICES[name]
    builds.build(service)
    done = subprocess.run(
        COMMANDS[name], cwd=service.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
