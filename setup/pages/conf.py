"""How Sphinx makes a site of the repository's pages: `make docs`.

The pages are plain Markdown that GitHub shows as well, so what a site needs beside it is here: the
navigation, the drawings, and what becomes of links to folders.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

LONGEST_NAME = 24  # characters that stay on one line
HOME = Path(__file__).parents[2]
DRAWINGS = HOME / ".lab/site-drawings"  # where setup/site has put Mermaid
LESSONS = sorted(f"docs/lessons/{page.stem}" for page in HOME.glob("docs/lessons/[1-9]*.md"))
# Every page, under the heading that leads to it.
NAVIGATION = {
    "Learn": ["docs/lessons/README", *LESSONS, "docs/glossary", "docs/teaching"],
    "Use": [
        *("docs/watching", "docs/your-own-service", "docs/versus", "docs/sizing", "docs/choose"),
        *("docs/faq", "docs/experiments"),
    ],
    "Believe": ["docs/verdicts", "docs/trust", "docs/load-generator", "docs/metrics-cost"],
    "Operate": [
        *("docs/containers", "docs/scaling", "docs/servers", "docs/configuration", "docs/metrics"),
    ],
    "Take part": [
        *("services/README", "docs/architecture", "docs/upgrading", "CONTRIBUTING", "CHANGELOG"),
        *("SECURITY", "CODE_OF_CONDUCT"),
    ],
}
# Written by commands of the lab, so maybe not there yet: under "Believe".
WRITTEN = ["docs/results", "docs/published"]

project = "Concurrency lab"
extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/**.md", "services/README.md"]
exclude_patterns = [".*", "**/.*", "results", "tests", "**/node_modules"]
html_theme = "furo"
html_title = project
html_static_path = [
    str(HOME / "setup/pages/static"),
    *([str(DRAWINGS)] if DRAWINGS.is_dir() else []),
]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False  # the licence is a file, and the site names no holder
myst_heading_anchors = 4  # as GitHub has them
suppress_warnings = ["misc.highlighting_failure"]  # code on a page may be cut short

_FOLDER_LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s:]+)\)")
_START = """
mermaid.initialize({theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "neutral"})
"""


def navigation() -> str:
    """The table of contents that the first page gets, which readers see beside every page."""
    written = [page for page in WRITTEN if (HOME / f"{page}.md").exists()]
    parts = NAVIGATION | {"Believe": [*NAVIGATION["Believe"], *written]}
    return "".join(
        "\n```{toctree}\n:hidden:\n:caption: " + caption + "\n\n" + "\n".join(pages) + "\n```\n"
        for caption, pages in parts.items()
    )


def prepare(_: Sphinx | None, page: str, source: list[str]) -> None:
    """Give the first page the navigation, and links to folders no target: a site has none."""
    here = (HOME / f"{page}.md").parent

    def kept(link: re.Match[str]) -> str:
        return link[1] if (here / link[2]).is_dir() else link[0]

    text = _FOLDER_LINK.sub(kept, source[0])
    source[0] = text + navigation() if page == root_doc else text


def draw(_: Sphinx, document: nodes.document) -> None:
    """Leave a drawing in Mermaid's language to the browser, where Mermaid is at hand."""
    from docutils import nodes

    for block in list(document.findall(nodes.literal_block)):
        if block.get("language") != "mermaid":
            continue
        if DRAWINGS.is_dir():
            drawing = f'<pre class="mermaid">{html.escape(block.astext())}</pre>'
            block.replace_self(nodes.raw("", drawing, format="html"))
        else:
            block["language"] = "text"


def name(_: Sphinx, document: nodes.document) -> None:
    """Keep a name in one piece, such as `fastapi-async` in a narrow column."""
    from docutils import nodes

    for literal in document.findall(nodes.literal):
        text = literal.astext()
        if len(text) <= LONGEST_NAME and not any(map(str.isspace, text)):
            literal["classes"].append("name")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", prepare)
    app.connect("doctree-read", draw)
    app.connect("doctree-read", name)
    if DRAWINGS.is_dir():
        app.add_js_file("mermaid.min.js")
        app.add_js_file(None, body=_START)
