"""One picture a claim for a wall or a slide, 16:9: sentence, figure, verdict, reason, chart."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from xml.sax.saxutils import escape

from loadtest.analysis import verdict
from loadtest.analysis.verdict import Claim

WIDTH, HEIGHT = 1600, 900
_LEFT, _CHART_X, _CHART_Y = 64, 800, 150
_CHART_WIDTH, _CHART_HEIGHT = 750, 640
_SOFT, _LETTERS = "#52606d", "Helvetica, Arial, Liberation Sans, sans-serif"
_VERDICTS = {"confirmed": "#0a6640", "refuted": "#a61b1b", "conditional": "#8a4b00"}
_FRAME = re.compile(r'<svg[^>]*? width="([\d.]+)" height="([\d.]+)" viewBox="([^"]+)"[^>]*>')


def poster(claim: Claim, mark: str, chart: str, conditions: str) -> str:
    """The claim as SVG. `chart`: the SVG of its first chart, or nothing."""
    texts = "".join(_column(claim, mark, narrow=bool(chart)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}"><rect width="100%" height="100%" fill="white"/>'
        f"{texts}{_placed(chart)}{_line(conditions, 862, 20, fill=_SOFT)}</svg>"
    )


def _column(claim: Claim, mark: str, *, narrow: bool) -> Iterator[str]:
    """The words, from top to bottom; as wide as the picture where there is no chart."""
    share = 1.0 if narrow else 2.0
    y = 84.0
    yield _line(f"{claim.claim} · what is taught", y, 24, fill=_SOFT)
    for kind, text in _said(claim, mark):
        size, bold, fill = _LOOK[kind]
        fill = _VERDICTS.get(claim.word, _SOFT) if kind == "verdict" else fill
        y += 16
        for part in textwrap.wrap(text, int(share * 1300 / size)):
            y += 1.3 * size
            yield _line(part, y, size, bold=bold, fill=fill)


_LOOK = {
    "taught": (34, False, "#1f2933"),
    "of": (26, False, _SOFT),
    "figure": (58, True, "#1f2933"),
    "need": (26, False, _SOFT),
    "verdict": (44, True, ""),
    "why": (24, False, _SOFT),
}


def _said(claim: Claim, mark: str) -> Iterator[tuple[str, str]]:
    check = claim.headline
    yield "taught", f"“{claim.statement}”"
    if check:
        yield "of", verdict.subject(check)
        yield "figure", verdict.figure(check)
        yield "need", f"the claim needs {verdict.need(check)}"
    yield "verdict", f"{mark} {claim.word}"
    if check:
        yield "why", claim.why
    else:
        yield from (("why", each.line) for each in claim.checks)


def _line(text: str, y: float, size: int, *, bold: bool = False, fill: str) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{_LEFT}" y="{y:g}" font-size="{size}"{weight} font-family="{_LETTERS}" '
        f'fill="{fill}">{escape(text)}</text>'
    )


def _placed(chart: str) -> str:
    """The chart on the right half, as large as fits."""
    frame = _FRAME.match(chart)
    if frame is None:
        return ""
    inner = chart[frame.end() :].removesuffix("</svg>")
    return (
        f'<svg x="{_CHART_X}" y="{_CHART_Y}" width="{_CHART_WIDTH}" height="{_CHART_HEIGHT}" '
        f'viewBox="{frame[3]}">{inner}</svg>'
    )
