"""Fills in what pages take from elsewhere: code from its files, figures from the published run.

A page asks by a mark, and what stands between the mark and its end is written anew:

    <!-- code fastapi-async=services/fastapi/…/awaiting.py:wait flask-sync=… -->
    <!-- figures experiment=blocked-threads measure=goodput_rps level="128 connections" claim=C1 -->
    …
    <!-- end -->

`sums` has two marks more. `make reference` and `make publish` do it. Figures that no full run has
are taken from the runs in the folders that `python -m loadtest.report.lessons.build RUN…` names.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from loadtest.errors import LabError
from loadtest.report.lessons import board, digest, snippets, sums
from loadtest.report.lessons.board import PageError
from loadtest.report.lessons.digest import Digest
from loadtest.system.paths import ROOT

PUBLISHED = Path("docs/results.jsonl")  # of the run that `make publish` has published
BESIDE = Path("docs/lessons/results.jsonl")  # of what no full run has
_KIND = "<!-- (?P<kind>code|figures|saved|again) "
_BLOCK_OF_PAGE = re.compile(rf"^{_KIND}(?P<words>[^>]*?) -->\n.*?^<!-- end -->$", re.M | re.S)


def known(home: Path = ROOT) -> list[Digest]:
    """The runs whose figures pages show, the published one first."""
    return [*digest.read(home / PUBLISHED), *digest.read(home / BESIDE)]


def written(home: Path = ROOT) -> dict[Path, str]:
    """The content of each page of docs that has marks."""
    runs = known(home)
    pages = sorted((home / "docs").rglob("*.md"))
    texts = {page: page.read_text(encoding="utf-8") for page in pages}
    return {
        page: filled(text, page.relative_to(home), runs, home)
        for page, text in texts.items()
        if _BLOCK_OF_PAGE.search(text)
    }


def filled(text: str, page: Path, runs: Sequence[Digest], home: Path = ROOT) -> str:
    """The page with all between its marks written anew. Raises PageError for a wrong mark."""

    def content(block: re.Match[str]) -> str:
        head = block[0].partition("\n")[0]
        words = dict(each.partition("=")[::2] for each in shlex.split(block["words"]))
        where = f"{page}: {head}"
        match block["kind"]:
            case "code":
                made = snippets.markdown(words, page)
            case "saved":
                made = sums.saved(words, runs, where)
            case "again":
                made = sums.again(words, home, where)
            case _:
                made = board.markdown(board.board(words, where), runs, page)
        return f"{head}\n\n{made}\n\n<!-- end -->"

    if len(re.findall(_KIND, text)) > len(_BLOCK_OF_PAGE.findall(text)):
        raise PageError(f"{page}: a mark without <!-- end --> on its own line")
    return _BLOCK_OF_PAGE.sub(content, text)


def fill(home: Path = ROOT) -> list[Path]:
    """Write every page that differs; returns those."""
    changed = [
        (page, text)
        for page, text in written(home).items()
        if page.read_text(encoding="utf-8") != text
    ]
    for page, text in changed:
        page.write_text(text, encoding="utf-8")
    return [page for page, _ in changed]


def main() -> None:
    """Take the figures of the runs that are named, then write every page that differs."""
    from loadtest.report import report  # which draws: a second that filling in does not need

    if folders := [Path(name) for name in sys.argv[1:]]:
        made = [digest.digest(report.load(folder)) for folder in folders]
        (ROOT / BESIDE).write_text(digest.text(made), encoding="utf-8")
        print(f"written: {BESIDE}")
    for page in fill():
        print(f"written: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    try:
        main()
    except LabError as error:
        sys.exit(f"make: {error}")
