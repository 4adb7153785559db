"""`run`: compare the services, trial by trial, and write a report."""

from __future__ import annotations

from pathlib import Path

import typer

from loadtest.commands.console import console
from loadtest.commands.report import show
from loadtest.errors import LabError
from loadtest.plan import schedule
from loadtest.plan.plans import Plan
from loadtest.report import files
from loadtest.results import trials
from loadtest.run.comparison import Comparison
from loadtest.run.progress.pace import minutes
from loadtest.run.progress.screen import Screen
from loadtest.run.runner import Runner


def carry_out(asked: Comparison) -> None:
    """Run what is left of a comparison.

    `typer.Exit` where it ended early, or where nothing could be timed.
    """
    plan = asked.plan
    for name, reason in plan.left_out.items():
        console.print(f"{name} is left out: {reason}", markup=False, soft_wrap=True)
    expected = schedule.expected(plan.trials, asked.record.looks)
    console.print(
        f"{len(expected)} trials of {len(plan.services)} services, about "
        f"{minutes(plan.seconds)}{_at_most(plan)}; budget {plan.options.budget}, "
        f"seed {plan.options.seed}",
        soft_wrap=not console.is_terminal,
    )
    with Screen(console, plan.options.budget) as screen:
        screen.begin(expected)
        try:
            runner = Runner(plan, asked.folder, asked.record, screen)
            finished = runner.execute(asked.backend())
        except LabError:
            files.build(asked.folder)
            raise
    if finished.reason:
        console.print(finished.reason, soft_wrap=True)
    show(asked.folder)
    if finished.interrupted:
        raise typer.Exit(runner.exit_code)
    if not (finished.checks or _measured(asked.folder)):
        console.print("nothing could be timed; the lines above say why", soft_wrap=True)
        raise typer.Exit(1)


def _at_most(plan: Plan) -> str:
    """How long it takes where little is decided early; nothing where rounds are fixed."""
    longer = plan.most_seconds > plan.seconds
    return f" (at most {minutes(plan.most_seconds)}, if much stays open)" if longer else ""


def _measured(folder: Path) -> bool:
    """Whether any trial of the run counts."""
    path = folder / "trials.jsonl"
    return path.exists() and any(trial.valid for trial in trials.read(path))
