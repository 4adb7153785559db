"""The page of a probe: one self-contained HTML file in the look of a comparison's."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadtest.errors import DISK_FULL, LabError
from loadtest.model.counts import number_of
from loadtest.probe import record
from loadtest.probe.conclusion import advice
from loadtest.probe.record import Conclusion, Sighting
from loadtest.report import files
from loadtest.report.charts.style import NARROW, Listing, png, titled
from loadtest.report.page import picture
from loadtest.report.probed import figures

DOCUMENT = "probe.json"
_PROBE_TEMPLATES = Path(__file__).parents[1] / "templates"


class ProbeFileError(LabError):
    """A file of a probe can't be read or written; the message names it."""


def write(folder: Path, seen: Sighting, said: Conclusion) -> Path:
    """Write probe.json, the chart and the page into `folder`; returns the page's path.

    Raises ProbeFileError where the disk is full: what was written before stays readable.
    """
    try:
        return _written(folder, seen, said)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        again = f"then: python -m loadtest report {folder}"
        if not (folder / DOCUMENT).exists():
            again = "then probe again: nothing of this one is kept"
        raise ProbeFileError(f"{folder}: no space left for it; make room, {again}") from None


def _written(folder: Path, seen: Sighting, said: Conclusion) -> Path:
    document = json.dumps(record.document(seen, said), indent=2, ensure_ascii=False) + "\n"
    files.replace(folder / DOCUMENT, document.encode())
    chart = figures.chart(seen, said)
    wide, narrow = chart.svg(), chart.svg(NARROW)
    (folder / "charts").mkdir(exist_ok=True)
    alone = titled(wide, chart.title)
    files.replace(folder / f"charts/{chart.name}.svg", alone.encode())
    files.replace(folder / f"charts/{chart.name}.png", png(alone))
    text = (
        Environment(
            loader=FileSystemLoader(_PROBE_TEMPLATES), autoescape=True, undefined=StrictUndefined
        )
        .get_template("probe.html.j2")
        .render(
            seen=seen,
            said=said,
            chart=chart,
            wide=picture(wide),
            narrow=picture(narrow),
            about=_about(seen),
            name=folder.resolve().name,
            css=Markup((_PROBE_TEMPLATES / "report.css").read_text(encoding="utf-8")),
        )
    )
    files.replace(folder / "report.html", text.encode())
    return folder / "report.html"


def read(folder: Path) -> tuple[Sighting, Conclusion]:
    """What a probe saw, from its folder, and what is said of that today."""
    path = folder / DOCUMENT
    try:
        seen = record.restored(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ProbeFileError(f"{path}: {error}") from None
    return seen, advice.conclude(seen)


def _about(seen: Sighting) -> Listing:
    """What was asked, what answers, and how much was sent."""
    glance, server = seen.glance, seen.server
    rows = [
        ("Asked", f"{seen.method} {seen.url}"),
        ("Answer", f"{glance.status}, {glance.size:,} bytes, {glance.version}"),
        ("Server says", glance.server or "–"),
        ("Keeps connections", "yes" if glance.kept else "no"),
        ("First answer", advice.seconds(glance.first_s)),
        ("Sent", f"{number_of(seen.sent, 'request')} in {seen.lasted_s:.0f} s"),
        ("Cores here", str(seen.cores)),
    ]
    if server:
        processes = number_of(server.processes, "process")
        rows.insert(3, ("Listens here", f"{server.program}: {processes}"))
    return Listing(("What", "Seen"), tuple(rows))
