"""What Locust tells Prometheus of the load that runs, whatever its form asks for next.

In a process of its own: Locust changes the one it is in.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

TOLD = """
import sys
from types import SimpleNamespace as Made
from loadtest.generator.telemetry import Telemetry
from prometheus_client import CollectorRegistry, generate_latest

state, wait_s, in_flight = sys.argv[1], float(sys.argv[2]) or None, int(sys.argv[3])
doing = Made(phase="load", scenario="wait", wait_s=wait_s, in_flight=lambda: {"here": in_flight})
runner = Made(state=state, user_classes_count={"here": 30}, current_cpu_usage=12.0)
typed_meanwhile = Made(scenario="json")
registry = CollectorRegistry()
environment = Made(runner=runner, parsed_options=typed_meanwhile)
registry.register(Telemetry(environment, doing).collector())
print(generate_latest(registry).decode())
"""


@pytest.mark.parametrize(
    ("state", "wait_s", "in_flight", "told", "untold"),
    [
        ("running", 0.1, 30, ["in_flight", "wait_seconds"], []),
        ("running", 0, 30, ["in_flight"], ["wait_seconds"]),
        ("stopped", 0.1, 0, ["in_flight"], ["wait_seconds"]),
    ],
    ids=["a wait", "no one wait", "the load is over"],
)
def test_a_load_goes_under_the_scenario_that_it_began_with(
    state: str, wait_s: float, in_flight: int, told: list[str], untold: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TOLD, state, str(wait_s), str(in_flight)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    labels = 'scenario="wait",service="here"'
    values = {"in_flight": in_flight, "wait_seconds": wait_s}
    for name in told:
        assert f"lab_load_{name}{{{labels}}} {float(values[name])}" in done.stdout
    for name in untold:
        assert f"lab_load_{name}{{" not in done.stdout
    assert f"lab_load_users{{{labels}}} 30.0" in done.stdout
    assert "json" not in done.stdout
