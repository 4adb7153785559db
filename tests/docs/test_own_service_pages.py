"""docs/sizing.md shows what `size` prints, and margins as they are calculated.

docs/choose.md has the sizes that it calculates.

docs/your-own-service.md explains every name that a probe gives to what binds. Its outputs have
the words of the command.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import get_args

from typer.testing import CliRunner

from loadtest.cli import app
from loadtest.commands.size import TOKENS
from loadtest.model.counts import number_of
from loadtest.probe.conclusion.advice import conclude
from loadtest.probe.record import Bound, Step
from loadtest.stats.queueing import slots_for
from loadtest.stats.sizing import Need, left_for_services, sizes
from tests.docs.pages import ROOT
from tests.loadtest.probe.sightings import full, read_all, seen, server, waves

TEXT = (ROOT / "docs" / "sizing.md").read_text()
[ASKED] = re.findall(r'make size SIZE="(.*)"', TEXT)
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
SHOWN, REFUSED = (text for language, text in BLOCKS if not language)
OWN_SERVICE = (ROOT / "docs" / "your-own-service.md").read_text()
CHOOSE = (ROOT / "docs" / "choose.md").read_text()
MARGINS = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", TEXT, re.MULTILINE)


def printed(*changed: str) -> str:
    return CliRunner().invoke(app, ["size", *shlex.split(ASKED), *changed]).output


def test_the_output_is_that_of_the_command() -> None:
    assert printed().startswith(SHOWN)


def test_the_refusal_is_that_of_the_command() -> None:
    assert printed("--cpu-ms", "8") == REFUSED


def test_the_margins_are_those_that_are_calculated() -> None:
    assert len(MARGINS) > 3
    for in_hand, *slots in MARGINS:
        found = [slots_for(float(in_hand), share) for share in (0.1, 0.01, 0.001)]
        assert list(map(int, slots)) == found


def processes(need: Need) -> str:
    """How many workers of one request each; what the database has where they are too many."""
    size = sizes(need).processes
    workers, left = number_of(size.workers, "worker"), left_for_services(need)
    enough = size.connections <= left
    return workers if enough else f"not here: {workers}, {number_of(left, 'connection')}"


def test_the_sizes_to_choose_from_are_those_that_are_calculated() -> None:
    found = re.findall(r".* × \d+ threads.*", CHOOSE)
    lines = [line.strip("| ").split(" | ") for line in found]
    assert len(lines) == 4
    for what, rate, wait, cpu, cores, *told in lines:
        database = re.search(r", (.+ ms) of database", what)
        held_s = seconds(database[1]) if database else None
        need = Need(float(rate), seconds(wait), seconds(cpu), float(cores), held_s)
        size = sizes(need)
        shared = size.shared
        pool = f"pool of {shared.pool}"
        assert told == [
            f"{number_of(shared.workers, 'worker')}, {pool}",
            f"{shared.workers} × {shared.slots} threads, {pool}",
            processes(need),
        ]
        assert (f"limit at {shared.slots}" in CHOOSE) == (shared.slots > TOKENS)


def seconds(told: str) -> float:
    """`60 ms`, `1.5 s`."""
    value, unit = told.split()
    return float(value) / {"ms": 1000, "s": 1}[unit]


def test_the_page_explains_each_name_once() -> None:
    section = OWN_SERVICE.partition("## What binds, and what to change")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| \*(.+?)\* \|", section, re.MULTILINE)) == sorted(get_args(Bound))


def test_what_could_be_something_else_has_a_name_of_a_probe() -> None:
    section = OWN_SERVICE.partition("## Where it can be wrong")[2]
    named = re.findall(r"\*(.+?)\*", section.partition("Four things")[0])
    assert len(named) > 3
    assert set(named) <= set(get_args(Bound))


def workers(count: int) -> tuple[Step, ...]:
    """Sync workers, which share the load."""
    return tuple(replace(each, workers=(each.server / count,) * count) for each in full(count))


def test_the_outputs_have_the_words_of_the_command() -> None:
    """Their figures are those of one probe."""
    uvicorn = server(program="uvicorn", loop=True)
    known = [
        seen(full(1, 0.05), server=uvicorn),
        seen(read_all(full(40, 0.05, threads=41)), server=uvicorn, waves=waves(40, 0.05, 82)),
        *(
            seen(workers(count), server=server(processes=count), waves=waves(count, 0.1, 26))
            for count in (4, 8)
        ),
    ]
    told = {shape(line) for each in map(conclude, known) for line in each.sentences[1:]}
    blocks = re.findall(r"^```text\n(.*?)^```", OWN_SERVICE, re.DOTALL | re.MULTILINE)
    shown = re.findall(r"^(?:What binds:|With|Await) .*", "\n".join(blocks), re.MULTILINE)
    assert len(shown) == 2 * len(blocks)
    assert {shape(line) for line in shown} <= told


def shape(line: str) -> str:
    """A sentence without its figures."""
    return re.sub(r"\d[\d,.]*", "#", line)
