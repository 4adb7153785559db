"""Probes kept as files: what a changed probe would conclude of the same answers, without a load."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from loadtest.probe import record
from loadtest.probe.conclusion.advice import conclude
from tests.native.probe.judging import Seen
from tests.native.probe.truths import TRUTHS, Truth


def keep(folder: Path, number: int, truth: Truth, seen: Seen) -> None:
    """Write one probe, numbered by its run."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(each if each.isalnum() else "-" for each in truth.name)
    content = json.dumps({"service": truth.name, "probe": seen.found})
    (folder / f"{number:03}-{name}.json").write_text(content, encoding="utf-8")


def judged_again(folder: Path) -> Iterator[tuple[Truth, Seen, Path]]:
    """Each that was kept, concluded anew from what it saw."""
    truths = {truth.name: truth for truth in TRUTHS}
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        seen = record.restored(found["probe"])
        yield truths[found["service"]], Seen.of(record.document(seen, conclude(seen))), path
