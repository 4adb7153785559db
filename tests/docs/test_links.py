"""Every link within the repository leads to a file, and to a heading of it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import ROOT, anchors, links, name, pages

HIDDEN = ROOT / ".github"  # its pages are forms that GitHub fills in


def wrong(page: Path) -> list[str]:
    """The page's links that lead nowhere; those to other hosts are not followed."""
    return [each for each in links(page.read_text()) if not leads_somewhere(page, each)]


def leads_somewhere(page: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.exists() or ROOT not in target.parents:
        return False
    return not parts.fragment or (
        target.suffix == ".md" and parts.fragment in anchors(target.read_text())
    )


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    assert wrong(page) == []


def test_each_page_can_be_reached_from_the_readme() -> None:
    seen, left = set[Path](), [ROOT / "README.md"]
    while left:
        page = left.pop()
        seen.add(page)
        near = {(page.parent / urlsplit(each).path).resolve() for each in links(page.read_text())}
        left += [each for each in near - seen if each.suffix == ".md" and each.is_file()]
    assert {name(page) for page in pages() if HIDDEN not in page.parents} <= set(map(name, seen))


def test_a_wrong_link_is_found(tmp_path: Path) -> None:
    page = ROOT / "README.md"
    assert leads_somewhere(page, "https://example.org/nowhere")
    assert not leads_somewhere(page, "nowhere.md")
    assert not leads_somewhere(page, "#nowhere")
    assert not leads_somewhere(page, str(tmp_path))


def test_anchors_are_those_of_github() -> None:
    text = "# What *is* `make compare`?\n\n## Slots ÷ wait\n\n## Slots ÷ wait\n"
    assert anchors(text) == {"what-is-make-compare", "slots--wait", "slots--wait-1"}
