"""`list`: what there is."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from loadtest.commands.console import console
from loadtest.contract import scenarios
from loadtest.inventory import budgets, builds, manifest
from loadtest.model.experiment import Experiment
from loadtest.plan import reader, schedule
from loadtest.results import record, verdicts


def show() -> None:
    """Show claims with their last verdicts, services, scenarios and budgets."""
    experiments = reader.load_all()
    published = reader.load_published()
    planned = [
        *schedule.plan(experiments, "full"),
        *schedule.plan(experiments, "field"),
        *schedule.plan(published, "published"),
    ]
    console.print(_claims(planned))
    console.print()
    table = Table("service", "framework", "model", "port", "leaves out", "can run here", box=None)
    for service in manifest.load().values():
        runs_here = builds.missing(service) or "yes"
        left_out = ", ".join(service.leaves_out)
        table.add_row(
            service.name, service.framework, service.model, str(service.port), left_out, runs_here
        )
    console.print(table)
    for title, names in (
        ("experiments", experiments),
        ("published comparisons", published),
        ("scenarios", scenarios.SCENARIOS),
        ("budgets", budgets.names()),
    ):
        console.print(f"{title}: {' '.join(names)}", soft_wrap=True)


def _claims(experiments: Iterable[Experiment]) -> Table:
    """Claim, sentence, experiment, the minutes that it takes at most, and the last verdict."""
    known = verdicts.last(record.results_directory())
    shown = Table(
        "claim", "what is taught", "experiment", "minutes at most", "last verdict", box=None
    )
    rows = [
        (claim, sentence, each.name, _minutes(each), known.get(claim, "–"))
        for each in experiments
        for claim, sentence in {each.claim: each.statement, **each.further}.items()
    ]
    for row in sorted(rows, key=lambda row: reader.by_claim(row[0])):
        shown.add_row(*row)
    return shown


def _minutes(experiment: Experiment) -> str:
    trials = schedule.schedule([experiment], seed=1) if experiment.levels else []
    return f"{schedule.estimate_s(trials) / 60:.1f}"
