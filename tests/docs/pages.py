"""The Markdown pages of the repository: their sentences, headings and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
_ELSEWHERE = re.compile(r"node_modules|results|\.(?!github$).*")  # folders of tools, and of runs
_PARSER = MarkdownIt("commonmark").enable("table")
# A full stop ends a sentence where a capital or a digit follows, whatever marks stand between.
_END = re.compile(r"(?<=[.!?…])[^\w\s]*\s+(?=[^\w\s]*[A-Z0-9])")
_FILLED_IN = re.compile(
    r"^<!-- (?:code|figures|saved|again) .*?^<!-- end -->$", re.MULTILINE | re.DOTALL
)
_WORD = re.compile(r"\S*\w\S*")
_CODE = "Code"  # stands for a piece of code, which counts as one word
_BLANK = {"softbreak", "hardbreak"}


def pages() -> list[Path]:
    """Every Markdown page that belongs to the repository."""
    found = sorted(ROOT.rglob("*.md"))
    return [
        page
        for page in found
        if not any(map(_ELSEWHERE.fullmatch, page.relative_to(ROOT).parts[:-1]))
    ]


def name(page: Path) -> str:
    """The page's path in the repository; names a test."""
    return str(page.relative_to(ROOT))


def words(sentence: str) -> list[str]:
    """The words of a sentence; signs that stand alone (÷, –) are none."""
    return _WORD.findall(sentence)


def sentences(text: str) -> list[str]:
    """The sentences of a page's paragraphs and lists; tables, code and headings have none."""
    return [
        sentence.strip()
        for inline in _inlines(text, "paragraph_open")
        for sentence in _END.split(_plain(inline))
        if words(sentence)
    ]


def own(text: str) -> str:
    """The page without what the build fills in: tables of figures, and code of files."""
    return _FILLED_IN.sub("", text)


def cells(text: str) -> list[str]:
    """What a reader takes in at once in a page's own tables: a semicolon ends it, too."""
    return [
        part.strip()
        for container in ("th_open", "td_open")
        for inline in _inlines(own(text), container)
        for sentence in _END.split(_plain(inline))
        for part in sentence.split(";")
        if words(part)
    ]


def anchors(text: str) -> set[str]:
    """What links can point to within a page: its headings as GitHub spells them."""
    found: dict[str, int] = {}
    for inline in _inlines(text, "heading_open"):
        words_of = "".join(token.content for token in inline.children or [])
        slug = re.sub(r"[^\w\- ]", "", words_of.lower()).replace(" ", "-")
        found[slug] = found.get(slug, 0) + 1
    return {
        f"{slug}-{number}" if number else slug
        for slug, times in found.items()
        for number in range(times)
    }


def links(text: str) -> list[str]:
    """The targets of links and pictures, as they are written."""
    attributes = [token.attrs for token in _inner(_PARSER.parse(text))]
    return [str(each[key]) for each in attributes for key in ("href", "src") if key in each]


def _inlines(text: str, container: str) -> list[Token]:
    """What stands in each paragraph, or heading, of the text."""
    tokens = _PARSER.parse(text)
    return [
        inline
        for before, inline in pairwise(tokens)
        if before.type == container and inline.type == "inline"
    ]


def _inner(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _inner(token.children or [])


def _plain(inline: Token) -> str:
    return "".join(map(_read, inline.children or []))


def _read(token: Token) -> str:
    """What a reader reads of it: code as one word, of a picture nothing."""
    if token.type == "code_inline":
        return _CODE
    if token.type in _BLANK:
        return " "
    return token.content if token.type == "text" else ""
