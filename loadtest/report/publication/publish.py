"""Put a finished run into the repository; refuses one that shows less than it seems to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadtest.model.counts import agree, number_of
from loadtest.plan import reader
from loadtest.report import page, report
from loadtest.report.charts.style import NARROW
from loadtest.report.lessons import build, digest
from loadtest.report.publication import comparisons, results
from loadtest.report.report import Report
from loadtest.results.runs import RunError
from loadtest.system.paths import ROOT

LARGEST_PAGE = 3_000_000  # bytes
FIELD, RESULTS = "field", "results"  # what a run fills: a part of docs/results.md, or all
RESULTS_MD = "results.md"


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
    ours = _field if _of_field(made) else _results
    documents = comparisons.documents if comparisons.of(made) else ours
    docs = documents(made, missing, whole, home)
    for path, text in docs.items():
        path.write_text(text, encoding="utf-8")
    return [*docs, *build.fill(home)]


def _results(made: Report, missing: Sequence[str], whole: str, home: Path) -> dict[Path, str]:
    """The files to write of a run of what the lesson says; the rest of the field stays."""
    told = home / "docs" / RESULTS_MD
    docs = {
        home / "docs" / results.PAGE_NAME: whole,
        told: f"{results.markdown(made, missing)}\n{_marked(FIELD, _kept(told, FIELD))}",
        home / build.PUBLISHED: _digests(made, RESULTS_MD, home),
    }
    if not missing:
        readme = home / "README.md"
        docs[readme] = filled(readme, RESULTS, results.table(made))
    return docs


def _field(made: Report, missing: Sequence[str], whole: str, home: Path) -> dict[Path, str]:
    """The files to write of a run of the rest of the field: its part of docs/results.md."""
    told = home / "docs" / RESULTS_MD
    page = f"{RESULTS_MD}#{results.FIELD_HEADING.lower().replace(' ', '-')}"
    return {
        home / "docs" / results.FIELD_PAGE_NAME: whole,
        told: filled(told, FIELD, results.field(made, missing)),
        home / build.PUBLISHED: _digests(made, page, home),
    }


def _of_field(made: Report) -> bool:
    """Whether the run is one of PLAN=field's experiments, and of nothing else."""
    experiments = made.run.experiments.values()
    return bool(experiments) and all(each.plan == "field" for each in experiments)


def _digests(made: Report, page: str, home: Path) -> str:
    """The figures of the published runs, with those of `page` from this one."""
    others = [each for each in digest.read(home / build.PUBLISHED) if each.page != page]
    new = digest.digest(made, page)
    return digest.text([new, *others] if page == RESULTS_MD else [*others, new])


def shortcomings(made: Report) -> Iterator[str]:
    """What the run lacks of a result that can be shown."""
    run = made.run
    if not run.complete:
        yield "it ended early"
    if not made.stable:
        yield "a service differs from itself"
    if accepted := sum(trial.accepted for trial in run.trials):
        yield f"{number_of(accepted, 'disturbed trial')} {agree(accepted, 'counts', 'count')}"
    if not run.info.get("git_commit") or run.info.get("git_dirty"):
        yield "its code is no commit"
    if left := [*(run.info.get("left_out") or {}), *(run.info.get("unverified") or {})]:
        yield f"without {', '.join(left)}"
    measured = {claim.claim for claim in made.claims if claim.word != "not measured"}
    asked = comparisons.numbers() if comparisons.of(made) else _all_claims(_of_field(made))
    if lacking := [claim for claim in asked if claim not in measured]:
        yield f"no verdict on {', '.join(lacking)}"


def _all_claims(of_field: bool) -> list[str]:
    """Every claim of PLAN=full, or of PLAN=field, by number."""
    wanted = [each for each in reader.load_all().values() if (each.plan == "field") == of_field]
    found = {claim for each in wanted for claim in (each.claim, *each.further)}
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


def filled(path: Path, name: str, text: str) -> str:
    """The page with `text` between its marks called `name`. Raises RunError without marks."""
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    if not (block := _block(name)).search(page):
        raise RunError(f"{path}: no <!-- {name}: begin --> … <!-- {name}: end --> to fill")
    return block.sub(lambda _: _marked(name, text).rstrip("\n"), page)


def _kept(path: Path, name: str) -> str:
    """What stands between a page's marks now; nothing where there is no page."""
    found = _block(name).search(path.read_text(encoding="utf-8")) if path.exists() else None
    return found[1].strip("\n") if found else ""


def _marked(name: str, text: str) -> str:
    return f"<!-- {name}: begin -->\n\n{text}\n\n<!-- {name}: end -->\n"


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", re.DOTALL)
