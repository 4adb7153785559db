"""Put a finished run into the repository; refuses one that shows less than it seems to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadtest.plan import reader
from loadtest.report import page, report
from loadtest.report.charts.style import NARROW
from loadtest.report.lessons import build, digest
from loadtest.report.publication import comparisons, results
from loadtest.report.report import Report
from loadtest.results.runs import RunError
from loadtest.system.paths import ROOT

LARGEST_PAGE = 3_000_000  # bytes
_BLOCK = re.compile(r"(<!-- results: begin -->\n).*?(<!-- results: end -->)", re.DOTALL)


def publish(folder: Path, *, partial: bool, home: Path = ROOT) -> list[Path]:
    """Write docs/results.md, its page, the README's table, and the figures of pages.

    Returns what was written.

    A run of published comparisons becomes docs/published.md, its figures and its page instead.

    Raises RunError where the run is incomplete, unclean or lacks a claim, unless `partial` lets
    the page say so. A partial run leaves the README alone.
    """
    made = report.load(folder)
    if any(each.targets for each in made.run.experiments.values()):
        raise RunError(f"{folder} compares services of your own; publish a run of the lab's")
    missing = list(shortcomings(made))
    if missing and not partial:
        raise RunError(
            f"{folder} is no whole result: {'; '.join(missing)}. Measure again, or let the page "
            f"say that it is partial: make publish RUN={folder} PARTIAL=yes"
        )
    whole = _page(made, partial=bool(missing))
    of_others = comparisons.of(made)
    docs = (comparisons.documents if of_others else _results)(made, missing, whole, home)
    for path, text in docs.items():
        path.write_text(text, encoding="utf-8")
    return [*docs, *([] if of_others else build.fill(home))]


def _results(made: Report, missing: Sequence[str], whole: str, home: Path) -> dict[Path, str]:
    """The files to write of a run of the lab's own claims."""
    docs = {
        home / "docs" / results.PAGE_NAME: whole,
        home / "docs" / "results.md": results.markdown(made, missing),
        home / build.PUBLISHED: digest.text([digest.digest(made, "results.md")]),
    }
    if not missing:
        docs[home / "README.md"] = filled(home / "README.md", results.table(made))
    return docs


def shortcomings(made: Report) -> Iterator[str]:
    """What the run lacks of a result that can be shown."""
    run = made.run
    if not run.complete:
        yield "it ended early"
    if not made.stable:
        yield "a service differs from itself"
    if accepted := sum(trial.accepted for trial in run.trials):
        yield f"{accepted} disturbed trials count"
    if not run.info.get("git_commit") or run.info.get("git_dirty"):
        yield "its code is no commit"
    if left := [*(run.info.get("left_out") or {}), *(run.info.get("unverified") or {})]:
        yield f"without {', '.join(left)}"
    measured = {claim.claim for claim in made.claims if claim.word != "not measured"}
    asked = comparisons.numbers() if comparisons.of(made) else _all_claims()
    if lacking := [claim for claim in asked if claim not in measured]:
        yield f"no verdict on {', '.join(lacking)}"


def _all_claims() -> list[str]:
    """Every claim that the lab has an experiment for, by number."""
    found = {claim for each in reader.load_all().values() for claim in (each.claim, *each.further)}
    return sorted(found, key=lambda claim: int(claim[1:]))


def _page(made: Report, *, partial: bool) -> str:
    pictures = {chart.name: (chart.svg(), chart.svg(NARROW)) for chart in made.charts}
    text = page.render(made, pictures, beside=False, note="partial" if partial else "")
    if (size := len(text.encode())) > LARGEST_PAGE:
        raise RunError(
            f"{made.run.folder}: its page has {size / 1e6:.1f} MB, {LARGEST_PAGE / 1e6:g} MB at "
            "most can be published; take fewer experiments"
        )
    return text


def filled(path: Path, table: str) -> str:
    """The page with the table between its marks. Raises RunError where the marks are missing."""
    text = path.read_text(encoding="utf-8")
    if not _BLOCK.search(text):
        raise RunError(f"{path}: no <!-- results: begin --> … <!-- results: end --> to fill")
    return _BLOCK.sub(lambda marks: f"{marks[1]}\n{table}\n\n{marks[2]}", text)
