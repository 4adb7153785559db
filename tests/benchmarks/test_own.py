"""How benchmarks of probe and versus count, and the busy machine that they make."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from benchmarks.own import busy, kept_probes
from benchmarks.own.pairs import MORE, Compared
from benchmarks.own.tally import Tally
from benchmarks.own.versus import Summary
from loadtest.analysis.findings import Finding
from loadtest.probe import record
from loadtest.probe.conclusion.advice import conclude
from loadtest.stats.inference import Ratio
from tests.loadtest.probe import sightings
from tests.native.probe.judging import Seen
from tests.native.probe.truths import TRUTHS
from tests.waiting import cmdline_of

FOUR = TRUTHS[0]  # 4 sync workers
RIGHT = Seen(4, 4, 4, False, "slots", "")
UNSURE = Seen(3, 3, 4, False, "nothing yet", "")
WRONG = Seen(9, 9, 9, False, "cpu", "")


def test_probes_have_three_columns() -> None:
    tally = Tally()
    found = [tally.add(FOUR, each) for each in (*[RIGHT] * 19, UNSURE)]
    assert found[-1] == "can't know"
    before = tally.reached
    tally.add(FOUR, WRONG)
    assert (before, tally.reached) == (True, False)
    assert "19 of 21 are right" in tally.told()
    assert "1 say that they can't know, 1 are wrong" in tally.told()


def test_a_probe_that_was_kept_is_concluded_anew(tmp_path: Path) -> None:
    what = sightings.seen(sightings.full(4), server=sightings.server(processes=4))
    seen = Seen.of(record.document(what, conclude(what)))
    kept_probes.keep(tmp_path, 1, FOUR, replace(seen, binds="cpu"))
    [(truth, again, path)] = kept_probes.judged_again(tmp_path)
    assert (truth, again) == (FOUR, seen)
    assert path.name.startswith("001-gunicorn")


def finding(value: float, p: float, equivalent: float = 1.0) -> Finding:
    ratio = Ratio(value, value, value, 3, p, equivalent, 0.1)
    return Finding("versus", "4", "goodput_rps", "B", "A", ratio, p)


def test_a_winner_between_a_service_and_itself_is_counted_and_what_is_not_measured_apart() -> None:
    summary, none = Summary(), finding(1.0, 1.0)
    for _ in range(10):
        summary.add(1.0, Compared(none, none))
    before = summary.kept
    summary.add(1.0, Compared(None, None, "busy"))
    summary.add(1.0, Compared(finding(1.2, 0.01), finding(0.8, 0.01)))
    assert "a service with itself: 2 of 22 comparisons found a winner" in list(summary.lines())
    assert (before, summary.kept) == (True, False)


def test_the_slower_service_is_found_where_it_handles_fewer() -> None:
    summary, none = Summary(), finding(1.0, 1.0)
    for _ in range(19):
        summary.add(MORE, Compared(finding(0.9, 0.01), none))
    before = summary.kept
    for value, p in ((1.1, 0.01), (0.9, 0.5)):
        summary.add(MORE, Compared(finding(value, p), none))
    assert (before, summary.kept) == (True, False)
    assert "10 % more CPU a request: found in 19 of 21 runs" in list(summary.lines())


def test_busy_processes_are_gone_after_the_block() -> None:
    with busy.spinning(2) as machine:
        children = psutil.Process().children()
        started = [each for each in children if "getppid" in " ".join(cmdline_of(each))]
        told = machine.told()
    assert len(started) == 2
    assert not any(each.is_running() for each in started)
    assert "the busy processes had" in told


@pytest.mark.parametrize(("words", "count"), [([], 0), (["--busy", "3"], 3)])
def test_a_busy_machine_is_asked_for(words: list[str], count: int) -> None:
    parser = argparse.ArgumentParser()
    busy.add_option(parser)
    assert parser.parse_args(words).busy == count
    assert parser.parse_args(["--busy"]).busy >= 1
    with pytest.raises(SystemExit):
        parser.parse_args(["--busy", "-1"])
