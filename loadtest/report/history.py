"""The runs that exist, newest first, with their headline figures."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from loadtest.analysis.amounts import amount
from loadtest.model.marks import MARKS
from loadtest.report import files, report
from loadtest.results import runs
from loadtest.results.runs import Run, RunError


@dataclass(frozen=True)
class Entry:
    """One folder of results: what it holds, or why it can't be read."""

    name: str
    info: Mapping[str, Any]
    verdicts: Mapping[str, Any]
    trouble: str = ""


def entries(results: Path) -> list[Entry]:
    """Every run in `results`, newest first. Raises RunError where there is none."""
    folders = [
        folder
        for folder in (results.iterdir() if results.is_dir() else ())
        if (folder / "run.json").exists() and not folder.is_symlink()
    ]
    if not folders:
        raise RunError(f"{results}: no runs yet; make one with: make compare")
    return [_entry(folder) for folder in sorted(folders, reverse=True)]


def table(results: Path) -> Table:
    """The runs as a table for a console."""
    shown = Table(box=None)
    for header in ("run", "plan", "budget", "trials", "machine", "commit", "claims"):
        shown.add_column(header, overflow="fold")
    for entry in entries(results):
        shown.add_row(entry.name, *_cells(entry))
    return shown


def _entry(folder: Path) -> Entry:
    try:
        run = runs.load(folder)
    except RunError as error:
        return Entry(folder.name, {}, {}, str(error))
    return Entry(folder.name, {**run.info, "trials": len(run.trials)}, _verdicts(run))


def _verdicts(run: Run) -> Mapping[str, Any]:
    """verdicts.json, made anew where it is missing or damaged."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((run.folder / "verdicts.json").read_text(encoding="utf-8"))
        if _whole(found):
            return dict(found)
    return files.verdicts(report.of(run))


def _whole(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(found.get("complete"), bool)
        and isinstance(found.get("stable"), bool)
        and isinstance(found.get("claims"), list)
        and all(isinstance(claim, dict) for claim in found["claims"])
    )


def _cells(entry: Entry) -> list[str]:
    if entry.trouble:
        return ["", "", "", "", "", entry.trouble]
    info, machine = entry.info, entry.info.get("machine") or {}
    state = "" if entry.verdicts["complete"] else " of a run that ended early"
    unstable = "" if entry.verdicts["stable"] else "UNSTABLE; "
    headlines = "; ".join(said for claim in entry.verdicts["claims"] if (said := _headline(claim)))
    return [
        str(info.get("plan", "")),
        str(info.get("budget", "")),
        f"{info['trials']}{state}",
        f"{machine.get('cores', '?')} × {machine.get('cpu', 'unknown')}",
        str(info.get("git_commit", ""))[:7],
        unstable + (headlines or "no verdicts"),
    ]


def _headline(claim: Mapping[str, Any]) -> str:
    word, value = str(claim.get("verdict")), claim.get("value")
    if word not in MARKS or word == "not measured":
        return ""
    figure = f" {amount(value)}" if isinstance(value, int | float) else ""
    times = " ×" if claim.get("ratio") is not None else ""
    told = f" {claim['told']}" if claim.get("told") else f"{figure}{times}"  # else: an older run
    return f"{claim.get('claim')} {MARKS[word]}{told}"
