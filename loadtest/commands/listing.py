"""`list`: what there is."""

from __future__ import annotations

from rich.table import Table

from loadtest.commands.console import console
from loadtest.contract import scenarios
from loadtest.inventory import budgets, builds, manifest
from loadtest.plan import reader


def show() -> None:
    """Show services, experiments, scenarios and budgets."""
    table = Table("service", "framework", "model", "port", "leaves out", "can run here", box=None)
    for service in manifest.load().values():
        runs_here = builds.missing(service) or "yes"
        left_out = ", ".join(service.leaves_out)
        table.add_row(
            service.name, service.framework, service.model, str(service.port), left_out, runs_here
        )
    console.print(table)
    for title, names in (
        ("experiments", reader.load_all()),
        ("scenarios", scenarios.SCENARIOS),
        ("budgets", budgets.names()),
    ):
        console.print(f"{title}: {' '.join(names)}", soft_wrap=True)
