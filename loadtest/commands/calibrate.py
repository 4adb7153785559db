"""`calibrate`: what the load generator itself can make on this machine."""

from __future__ import annotations

from loadtest.commands.console import console
from loadtest.run.ceiling.calibrate import Point, calibrate
from loadtest.system.cpus import Cpus


def show(quick: bool) -> None:
    """Measure it, and show each point; `quick` takes two points instead of all."""
    cpus = Cpus.split()
    found = calibrate(
        load_cpus=cpus.load, service_cpus=cpus.service, quick=quick, progress=_show_point
    )
    console.print(f"ceiling: {found['ceiling_rps']:,.0f} requests/s against {found['server']}")


def _show_point(point: Point) -> None:
    console.print(
        f"{point.scenario:<10} {point.connections:>5} connections "
        f"{point.answer_bytes:>8,.0f} bytes {point.rps:>9,.0f} requests/s "
        f"{point.cpu_us_per_request:>6.1f} µs CPU a request"
    )
