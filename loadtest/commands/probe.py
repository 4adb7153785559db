"""`probe`: how many requests at once a service works on, and what binds it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadtest.commands import fail_if
from loadtest.commands.console import console
from loadtest.commands.fail_if import Became, Condition
from loadtest.commands.own import kept
from loadtest.contract import own
from loadtest.errors import LabError
from loadtest.inventory import addresses
from loadtest.model.probe import PlannedProbe
from loadtest.model.target import Target
from loadtest.probe import probing
from loadtest.probe import record as records
from loadtest.probe.conclusion import advice
from loadtest.probe.conclusion.advice import rate
from loadtest.probe.limits import Allowance
from loadtest.probe.progress import Told
from loadtest.probe.record import Conclusion, Sighting, Step
from loadtest.report.probed import figures, page
from loadtest.results import record

FAILED, UNMEASURED, STOPPED_BY_USER = 1, 2, 130
BAR = 24  # characters
_meanwhile = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Described:
    """A request as the command line has it."""

    url: str
    method: str = "GET"
    headers: Sequence[str] = ()
    body: str = ""
    expect: int | None = None
    insecure: bool = False


@dataclass(frozen=True)
class Asked:
    """What the command line asks for; `planned`: what a file says instead."""

    request: Described
    seconds: float | None = None  # None: the usual
    connections: int | None = None
    beside: str = ""
    as_json: bool = False
    fail_if: Sequence[str] = ()
    may_load: bool = False
    planned: PlannedProbe | None = None

    def target(self) -> Target:
        """The endpoint; raises LabError where it can't, or may not, be loaded."""
        target = self.planned.target if self.planned else self._described()
        addresses.require_permission(target.url, may_load=self.may_load)
        return target

    def _described(self) -> Target:
        request = self.request
        return own.checked(
            Target(
                addresses.endpoint(request.url),
                request.method,
                addresses.parsed_headers(request.headers),
                addresses.read_body(request.body),
                status=request.expect,
                insecure=request.insecure,
            )
        )

    def allowance(self) -> Allowance:
        """What it may spend, from now on; raises ProbeError where that can't be."""
        return Allowance(
            Allowance.seconds if self.seconds is None else self.seconds,
            Allowance.connections if self.connections is None else self.connections,
        )

    def light(self, target: Target) -> Target | None:
        """The light endpoint beside it, if there is one; a path is one of the same service.

        Headers are for the target's own scheme, host and port: they may say who asks.
        """
        if not self.beside:
            return None
        parts = urlsplit(target.url)
        url = self.beside
        if url.startswith("/"):
            url = f"{parts.scheme}://{parts.netloc}{url}"
        if "://" not in url:
            raise addresses.AddressError(
                f"beside {url!r}: write /{url} for a path of the same service, or a URL with http://"
            )
        url = addresses.endpoint(url)
        addresses.require_permission(url, may_load=self.may_load)
        headers = target.headers if addresses.same_origin(url, target.url) else {}
        return replace(target, url=url, method="GET", headers=headers, body="", status=None)


def with_file(asked: Asked) -> Asked:
    """The same with what its file says, where a file is named; raises ExperimentError."""
    request = asked.request
    if "://" in request.url or not request.url.endswith(".toml"):
        return asked
    usual = Described(request.url)
    names = ("method", "headers", "body", "expect", "insecure")
    given = [name for name in names if getattr(request, name) != getattr(usual, name)]
    options = [f"--{name.removesuffix('s')}" for name in given] + ["--beside"] * bool(asked.beside)
    planned = kept.read(Path(request.url), options)
    return replace(
        asked,
        seconds=planned.seconds if asked.seconds is None else asked.seconds,
        connections=planned.connections if asked.connections is None else asked.connections,
        beside=planned.beside,
        fail_if=(*planned.fail_if, *asked.fail_if),
        may_load=planned.may_load or asked.may_load,
        planned=planned,
    )


def carry_out(asked: Asked) -> None:
    """Probe, tell, write the page; what can't be written is one line, and was told before.

    `typer.Exit` where a condition holds, or the probe was cut off.
    """
    conditions = [fail_if.condition(each) for each in asked.fail_if]
    if not asked.beside:
        in_file = f'beside = "/PATH" in {asked.planned.where}' if asked.planned else ""
        fail_if.require_beside(conditions, in_file or "--beside /PATH")
    target = asked.target()
    light = asked.light(target)
    results = record.results_directory()
    record.require_writable(results)
    allowance = asked.allowance()  # what it refuses is told before anything starts
    if light:
        allowance.require_one_beside()
    folder = None
    if asked.planned is None or asked.planned.start is None:
        seen = _probed(asked, target, light)
    else:
        folder = record.create(results, "-probe")
        with kept.running(asked.planned, folder / "logs"):
            seen = _probed(asked, target, light)
    said = advice.conclude(seen)
    became = _told(asked, seen, said, conditions)
    _write(asked, seen, said, folder)
    if code := _code(seen, became):
        raise typer.Exit(code)


def _probed(asked: Asked, target: Target, light: Target | None) -> Sighting:
    allowance = asked.allowance()
    _say(f"{target.method} {target.url}: {allowance.stated()}")
    if light and target.headers and not light.headers:
        _say(f"{light.url} is asked without headers: it is not {addresses.origin(target.url)}")
    return probing.probe(target, allowance, light, Told(_say, _tell))


def _told(
    asked: Asked, seen: Sighting, said: Conclusion, conditions: Sequence[Condition]
) -> set[Became]:
    """Show what was seen; what became of the conditions."""
    document = records.document(seen, said)
    if asked.as_json:
        json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
        print(flush=True)
    else:
        _show(seen, said)
    judged = [each.judged(document) for each in conditions]
    for became, why in judged:
        _say(f"{became}: {why}")
    return {became for became, _ in judged}


def _write(asked: Asked, seen: Sighting, said: Conclusion, folder: Path | None) -> None:
    """Write the page, into a new folder where there is none yet, and say where it is."""
    try:
        made = folder or record.create(record.results_directory(), "-probe")
        path = page.write(made, seen, said)
    except LabError as error:
        _say(f"loadtest: {error}")
        return
    if not asked.as_json:
        page_ = record.outside(path).absolute().as_uri()
        console.print(f"report: {page_}", markup=False, soft_wrap=True)


def _code(seen: Sighting, became: set[Became]) -> int:
    if seen.ended == probing.BY_USER:
        return STOPPED_BY_USER
    if seen.died:
        return UNMEASURED
    if "failed" in became:
        return FAILED
    return UNMEASURED if "not measured" in became else 0


def _say(line: str) -> None:
    _meanwhile.print(line, markup=False, soft_wrap=True)


def _tell(step: Step) -> None:
    wrong = f", {sum(step.errors.values()):,} failed" if step.errors else ""
    took = f", {figures.takes(step)} each" if step.answered else ""
    again = f" (taken again: {step.retaken})" if step.retaken else ""
    _say(f"{step.connections:>6,} at once: {rate(step.rps)}/s{took}{wrong}{again}")


def _show(seen: Sighting, said: Conclusion) -> None:
    console.print()
    console.print(_table(seen))
    console.print()
    for number, sentence in enumerate(said.sentences):
        console.print(Text(sentence, style="" if number else "bold"), soft_wrap=True)
    for note in said.notes:
        console.print(Text(note, style="yellow"), soft_wrap=True)
    console.print()


def _table(seen: Sighting) -> Table:
    """The steps, each with a bar as long as its rate."""
    most = max(each.rps for each in seen.steps) or 1.0
    found = Table(box=None, pad_edge=False)
    for header in figures.HEADERS:
        found.add_column(header, justify="right", no_wrap=True)
    found.add_column("", no_wrap=True)
    for step in seen.steps:
        found.add_row(*figures.row(step), "█" * round(BAR * step.rps / most))
    return found
