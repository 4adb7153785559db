"""How a run's rounds came about: its looks, what they spent, and the rules that it is judged by."""

from __future__ import annotations

from loadtest.analysis.amounts import percent
from loadtest.model.experiment import Experiment
from loadtest.report.charts.style import Listing
from loadtest.results.record import looked
from loadtest.results.runs import RUN_VERSION, Run
from loadtest.stats.inference import ALPHA
from loadtest.stats.sequential import levels


def table(run: Run, experiment: Experiment) -> Listing | None:
    """Every look at an experiment's figures; None where there was none."""
    taken = (run.info.get("looks") or {}).get(experiment.name)
    if not taken or not experiment.looks:
        return None
    tried = dict(zip(experiment.looks, levels(experiment.looks, ALPHA), strict=True))
    rows = tuple(
        (
            str(look["rounds"]),
            f"{100 * look['spent']:.1f} of 5 %",
            f"{100 * (1 - tried[look['rounds']]):.1f} %",
            looked(look, experiment.services).told(experiment.services) or "nothing",
        )
        for look in taken
    )
    return Listing(("After round", "Error spent so far", "Interval of this look", "Open"), rows)


def rule(run: Run, experiment: Experiment) -> str:
    """How the number of rounds was decided, in a sentence."""
    if experiment.looks:
        *first, last = map(str, experiment.looks)
        return (
            f"Looks after {', '.join(first)} and {last} rounds; a load gets more rounds only while "
            "something there is open, and only with the services that it is open for. "
            f"All looks together err in {percent(ALPHA)} %"
        )
    said = f"A fixed number of rounds, {experiment.rounds}; nobody looked before the end"
    made_as = run.info.get("made_as", RUN_VERSION)
    older = f", as in every run of results format {made_as}" if made_as != RUN_VERSION else ""
    return said + older
