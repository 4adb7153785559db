"""`live`: services under Locust's page, without Docker."""

from __future__ import annotations

import os
from collections.abc import Collection

from loadtest.backends import live, native
from loadtest.backends.live import LabStopped, Live
from loadtest.backends.native import Lab
from loadtest.commands.console import console
from loadtest.contract import own
from loadtest.inventory import budgets, builds, guests, manifest, pooling


def run(asked: Collection[str], budget: str) -> None:
    """Run them until Ctrl-C; raises LabStopped where none can run or Locust ends."""
    guests.named(os.environ)  # what cannot be asked is told before anything starts
    own.from_variables(os.environ)
    known = manifest.load(variables=budgets.variables(budget))
    allowed = budgets.allowed(budget)
    native.require(native.state_directory(), pooled=bool(pooling.usual()))
    names = list(asked) or [name for name, service in known.items() if service.central]
    usable, reasons = builds.available(manifest.choose(known, names))
    reasons |= builds.failures(usable)
    usable = {name: service for name, service in usable.items() if name not in reasons}
    for name, reason in reasons.items():
        console.print(f"{name} is left out: {reason}", markup=False)
    if not usable:
        raise LabStopped("none of these services can run here")
    budgets.check(usable.values(), allowed, pooling.usual())
    console.print(f"starting {', '.join(usable)} …")
    try:
        with Lab(usable, connections=allowed) as lab, live.up(lab) as running:
            _show(lab, running)
            running.locust.popen.wait()
            raise LabStopped(f"Locust ended by itself; its log is {running.locust.log}")
    except KeyboardInterrupt:
        console.print("stopped; nothing is left running")


def _show(lab: Lab, running: Live) -> None:
    for service in lab.services.values():
        console.print(
            f"  {service.name:<22} {service.url()}  metrics {service.metrics_url()}", soft_wrap=True
        )
    console.print(f"  {'Prometheus':<22} {running.prometheus or 'not running'}")
    for line in running.missing:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print(f"Locust's UI: {running.ui} – Ctrl-C ends everything")
