"""The site of the pages: what leads to each, how its tools are kept apart, and a whole one."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from types import ModuleType

import pytest

from loadtest.system.paths import ROOT
from tests.docs.pages import name, pages

TOOLS = ("sphinx", "furo", "myst-parser")


@pytest.fixture(scope="module")
def conf() -> ModuleType:
    """Sphinx's configuration, which needs no Sphinx to be read."""
    found = importlib.util.spec_from_file_location("conf", ROOT / "setup/pages/conf.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_navigation_leads_to_every_page_once(conf: ModuleType) -> None:
    listed = re.findall(r"^(?!:|```)(\S+)$", conf.navigation(), re.MULTILINE)
    there = {name(page).removesuffix(".md") for page in pages() if ".github" not in page.parts}
    assert sorted(listed) == sorted(there - {"README"}), "NAVIGATION in setup/pages/conf.py"


def test_the_lessons_come_in_their_order(conf: ModuleType) -> None:
    assert [int(page.split("/")[-1].partition("-")[0]) for page in conf.LESSONS] == [*range(1, 9)]


def test_a_link_to_a_folder_becomes_its_words(conf: ModuleType) -> None:
    source = ["In [experiments](../experiments) and [the trust](trust.md), [web](https://a.b)."]
    conf.prepare(None, "docs/verdicts", source)
    assert source == ["In experiments and [the trust](trust.md), [web](https://a.b)."]


def test_its_tools_are_pinned_with_hashes_and_in_no_other_lock() -> None:
    lock = (ROOT / "requirements/docs.txt").read_text()
    for tool in TOOLS:
        assert re.search(rf"^{tool}==\S+ .*\\\n +--hash=sha256:", lock, re.MULTILINE), tool
    for other in ("dev", "native"):
        text = (ROOT / f"requirements/{other}.txt").read_text()
        assert not [tool for tool in TOOLS if re.search(rf"^{tool}==", text, re.MULTILINE)]


def test_make_docs_makes_a_site_of_every_page_and_all_its_links_lead_somewhere() -> None:
    """Its tools are installed where they are not yet. A link that leads nowhere fails it."""
    told = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "--silent", "docs"],
        cwd=ROOT,
        env=told,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    site = ROOT / ".lab/site"
    assert done.stdout.splitlines()[-1] == f"site: file://{site}/index.html"
    there = [name(page) for page in pages() if ".github" not in page.parts]
    missing = [page for page in there if not (site / page).with_suffix(".html").is_file()]
    assert missing == []
    assert "docs/lessons/1-asgi-and-wsgi" in (site / "searchindex.js").read_text()
    assert 'url=README.html"' in (site / "index.html").read_text()
