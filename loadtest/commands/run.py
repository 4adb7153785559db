"""`run`: compare the services, trial by trial, and write a report."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from loadtest.commands.console import console
from loadtest.commands.report import written
from loadtest.errors import LabError
from loadtest.model.counts import number_of
from loadtest.plan import schedule
from loadtest.plan.plans import Plan
from loadtest.report import files
from loadtest.report.own import outcome
from loadtest.report.report import Report
from loadtest.results import trials
from loadtest.run.comparison import Comparison
from loadtest.run.progress.pace import minutes
from loadtest.run.progress.screen import Screen
from loadtest.run.runner import TOO_MANY_REQUESTS, Runner

NOTHING_TIMED = 1  # the exit code of a run of the lab's own services


def carry_out(asked: Comparison, *, as_json: bool = False) -> None:
    """Run what is left of a comparison; with `as_json` its verdicts go to standard output alone.

    `typer.Exit` where it ended early, where nothing could be timed, or where a condition of the
    user's is met.
    """
    console.stderr = as_json
    plan = asked.plan
    expected = schedule.expected(plan.trials, asked.record.looks)
    _announce(plan, len(expected))
    try:
        with Screen(console, plan.options.budget) as screen:
            screen.begin(expected)
            runner = Runner(plan, asked.folder, asked.record, screen)
            finished = runner.execute(asked.backend())
    except LabError:
        (written if _measured(asked.folder) else files.build)(asked.folder)
        raise
    if finished.reason:
        console.print(finished.reason, markup=False, soft_wrap=True)
    made = written(asked.folder)
    if as_json:
        print((asked.folder / "verdicts.json").read_text(encoding="utf-8"), end="")
    if finished.interrupted:
        if runner.exit_code == TOO_MANY_REQUESTS and made.conditions_met:
            _conclude(made)
        raise typer.Exit(runner.exit_code)
    if not _measured(asked.folder) and (plan.trials or not finished.checks):
        why = "; ".join(made.lacking)
        told = f": {why}" if why else "; the lines above say why"
        print(f"loadtest: nothing could be timed{told}", file=sys.stderr)
        raise typer.Exit(outcome.TROUBLE if plan.own else NOTHING_TIMED)
    _conclude(made)


def _announce(plan: Plan, planned: int) -> None:
    """Who is left out, how many trials there are, and how long they take."""
    for name, reason in plan.left_out.items():
        console.print(f"{name} is left out: {reason}", markup=False, soft_wrap=True)
    console.print(
        f"{number_of(planned, 'trial')} of {number_of(len(plan.services), 'service')}, about "
        f"{minutes(plan.seconds)}{_at_most(plan)}; {_conditions(plan)}seed {plan.options.seed}",
        soft_wrap=not console.is_terminal,
    )


def _conclude(made: Report) -> None:
    """End with the exit code that the user's conditions ask for, and one line of reason."""
    if made.conditions_met:
        reasons = "; ".join(map(outcome.condition, made.conditions_met))
        print(f"loadtest: failed: {reasons}", file=sys.stderr)
    elif made.exit_code:
        unknown = [outcome.condition(each) for each in made.conditions_unknown]
        reasons = "; ".join([*made.lacking, *unknown])
        print(f"loadtest: {reasons}", file=sys.stderr)
    if made.exit_code:
        raise typer.Exit(made.exit_code)


def _conditions(plan: Plan) -> str:
    """The budget of the lab's services; of the user's own, how much is asked of them at most."""
    if not plan.own:
        return f"budget {plan.options.budget}, "
    most = max(level.load.connections for each in plan.experiments for level in each.levels)
    requests = sum(each.requests_at_most or 0 for each in plan.experiments)
    asked = f"{number_of(most, 'connection')} at once and {number_of(requests, 'request')}"
    return f"at most {asked}, "


def _at_most(plan: Plan) -> str:
    """How long it takes where little is decided early; nothing where rounds are fixed."""
    longer = plan.most_seconds > plan.seconds
    return f" (at most {minutes(plan.most_seconds)}, if much stays open)" if longer else ""


def _measured(folder: Path) -> bool:
    """Whether any trial of the run counts."""
    path = folder / "trials.jsonl"
    return path.exists() and any(trial.valid for trial in trials.read(path))
