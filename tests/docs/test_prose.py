"""Pages can be read once: short sentences, plain words."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, cells, name, pages, sentences, words

PAGES = list(pages())
# What is read elsewhere: reports, dashboards, messages, docstrings and comments.
TEXTS = [
    path
    for pattern in (
        "experiments/**/*.toml",
        "grafana/dashboards/*.json",
        "loadtest/**/*.py",
        "loadtest/**/*.j2",
        "prometheus/*.yml",
        "services/common/**/*.py",
    )
    for path in sorted(ROOT.glob(pattern))
]
WRITTEN = {"docs/results.md", "docs/published.md"}  # their tables are those of a report
LONGEST, TYPICAL = 25, 15  # words a sentence
# Turns of phrase that have to be read twice, and what to write instead.
SIGNS = {
    r"nought": "nothing, or 0",
    r"told by": "the subject first: who says it",
    r"of its own accord": "by itself",
    r"once that": "when",
    r"whom": "two sentences",
}


def test_every_page_is_read() -> None:
    read = {name(page) for page in PAGES}
    assert read >= {"README.md", "docs/results.md", "docs/published.md", "services/README.md"}
    assert read >= {name(page) for page in (ROOT / "docs").rglob("*.md")}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_sentence_is_long(page: Path) -> None:
    text = page.read_text()
    told = [*sentences(text), *(cells(text) if name(page) not in WRITTEN else ())]
    long = [each for each in told if len(words(each)) > LONGEST]
    assert not long, "\n".join(f"{len(words(each))} words: {each}" for each in long)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_most_sentences_are_short(page: Path) -> None:
    lengths = [len(words(each)) for each in sentences(page.read_text())]
    assert not lengths or statistics.median(lengths) <= TYPICAL


@pytest.mark.parametrize("page", [*PAGES, *TEXTS], ids=name)
def test_the_words_are_plain(page: Path) -> None:
    text = " ".join(page.read_text().split())
    found = [sign for sign in SIGNS if re.search(rf"\b{sign}\b", text, re.IGNORECASE)]
    assert not found, "; ".join(f"“{sign}”: write {SIGNS[sign]}" for sign in found)


def test_a_sentence_ends_where_a_reader_sees_its_end() -> None:
    text = """# A heading. It is none.

Takes 0.5 s on `a.b.c()` – *twice*. **Then** [what?](x.md) “Nothing.” It stops
here: one. 3 services: `node`!

- An item
- ![a picture](x.png) Another one.

| a table. | Is none. |
| --- | --- |

```sh
make  # Code. Is none.
```
"""
    assert sentences(text) == [
        "Takes 0.5 s on Code – twice.",
        "Then what?",
        "“Nothing.",
        "It stops here: one.",
        "3 services: Code!",
        "An item",
        "Another one.",
    ]
    assert len(words("Takes 0.5 s on Code – twice.")) == 6
