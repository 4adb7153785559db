"""What every chart shares: its look, its services' colours and shapes, its way onto paper."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import altair as alt
import vl_convert

from loadtest.inventory import palette
from loadtest.model.trial import TWIN

WIDE, NARROW = 680, 340  # outer width in CSS pixels: a desk and a phone
_FONT = "Helvetica, Arial, Liberation Sans, sans-serif"
_LETTER = 7.5  # pixels, on average and at most, in the labels' size
_INK, _FAINT = "#1f2933", "#e4e7eb"

Records = list[dict[str, Any]]


@dataclass(frozen=True)
class Listing:
    """The figures behind a chart, as text."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Chart:
    """A picture with its words. `draw` makes the specification for an outer width in pixels.

    `name` is its file's stem, `title` the one sentence to take away, `description` what a person
    who does not see it should know, `table` its figures.
    """

    name: str
    title: str
    description: str
    draw: Callable[[int], Any]
    table: Listing

    def svg(self, width: int = WIDE) -> str:
        """The chart as SVG, without its title."""
        return _lean(vl_convert.vegalite_to_svg(self._spec(width)))

    def _spec(self, width: int) -> dict[str, Any]:
        spec: dict[str, Any] = self.draw(width).to_dict(validate=False)
        spec["config"] = _config(width)
        if "facet" not in spec:  # facets have no one width to fit
            spec["autosize"] = {"type": "fit-x", "contains": "padding"}
        else:  # a reader's font may be wider than the one that was measured with
            spec["config"]["padding"] = {"left": 26, "right": 6, "top": 6, "bottom": 6}
        return spec


def titled(svg: str, title: str) -> str:
    """The chart with its title on it, for a file that stands alone."""
    width, height = (float(size) for size in _SVG_SIZE.findall(svg)[0])
    lines = textwrap.wrap(title, int(width // 9))
    above = 22 * len(lines) + 10
    texts = "".join(
        f'<text x="6" y="{22 * number}" font-size="16" font-weight="bold" '
        f'font-family="{_FONT}" fill="{_INK}">{escape(line)}</text>'
        for number, line in enumerate(lines, start=1)
    )
    size = (
        f'width="{width:g}" height="{height + above:g}" viewBox="0 0 {width:g} {height + above:g}"'
    )
    head, _, body = svg.partition(">")
    head = re.sub(r'width="[^"]*" height="[^"]*" viewBox="[^"]*"', size, head)
    body = body.removesuffix("</svg>")
    return (
        f'{head}><rect width="100%" height="100%" fill="white"/>{texts}'
        f'<g transform="translate(0,{above})">{body}</g></svg>'
    )


def png(svg: str, scale: float = 2) -> bytes:
    """An SVG as PNG, with twice its pixels or as `scale` says."""
    return bytes(vl_convert.svg_to_png(svg, scale=scale))


_LEGEND = {
    "orient": "top",
    "title": None,
    "labelColor": _INK,
    "symbolSize": 110,
    "columnPadding": 24,
    "labelLimit": 220,
}


def _config(width: int) -> dict[str, Any]:
    size = 13 if width > NARROW else 12
    return {
        "font": _FONT,
        "background": "white",
        "padding": 6,
        "view": {"stroke": None},
        "axis": {
            "labelFontSize": size,
            "titleFontSize": size,
            "titleFontWeight": "normal",
            "labelColor": _INK,
            "titleColor": _INK,
            "gridColor": _FAINT,
            "domainColor": "#9aa5b1",
            "tickColor": "#9aa5b1",
            "labelOverlap": "greedy",
        },
        "axisY": {"titlePadding": 10},  # for the same reader's wider font
        "header": {"labelFontSize": size, "labelFontWeight": "bold", "labelColor": _INK},
        "legend": _LEGEND | {"labelFontSize": size, "columns": 4 if width > NARROW else 2},
    }


def colour(arms: Sequence[str], *, legend: bool = True) -> alt.Color:
    """The services' own colours."""
    colours = list(palette.COLOURS.values())
    range_ = [colours[place] for place in palette.places([service(arm) for arm in arms])]
    scale = alt.Scale(domain=list(arms), range=range_)
    return alt.Color("service:N", scale=scale, legend=alt.Legend() if legend else None)


def shape(arms: Sequence[str], *, legend: bool = True) -> alt.Shape:
    """The services' own shapes."""
    known = list(palette.SHAPES)
    places = palette.places([service(arm) for arm in arms])
    shapes = [known[place % len(known)] for place in places]
    scale = alt.Scale(domain=list(arms), range=[palette.PATHS.get(each, each) for each in shapes])
    return alt.Shape("service:N", scale=scale, legend=alt.Legend() if legend else None)


def present(services: Sequence[str], records: Records) -> list[str]:
    """Those of `services` that a record is of, in their order."""
    found = {each["service"] for each in records}
    return [each for each in services if each in found]


def heads(levels: Sequence[str], pixels: float) -> alt.Header:
    """The heads of a chart that has a block a level, each as wide as the block."""
    return alt.Header(
        title=None,
        labelOrient="top",
        labelAnchor="start",
        labelPadding=2,
        labelLimit=0,
        labelExpr=wrapped(levels, pixels),
    )


def service(arm: str) -> str:
    """The service behind an arm."""
    return arm.removesuffix(TWIN)


def wrapped(labels: Sequence[str], pixels: float) -> str:
    """A Vega expression that breaks each label into lines of so many pixels at most."""
    lines = {label: textwrap.wrap(label, max(8, int(pixels / _LETTER))) for label in labels}
    return f"{json.dumps(lines)}[datum.value]"


def capital(text: str) -> str:
    """`text` with its first letter large, as a sentence begins."""
    return text[:1].upper() + text[1:]


def data(records: Records) -> alt.InlineData:
    """Records as the data of a chart; as text, for Altair copies all else at every step."""
    return alt.InlineData(values=json.dumps(records), format={"type": "json"})


def loads(values: Sequence[float], title: str, width: int) -> alt.X:
    """A logarithmic axis over loads, with a tick at each that was run."""
    ticks = sorted({value for value in values if value > 0})
    thinned = ticks if width > NARROW else ticks[:: 1 + len(ticks) // 7]
    return alt.X(
        "x:Q",
        title=title,
        scale=alt.Scale(type="log", nice=False, padding=14),
        axis=alt.Axis(values=thinned, format=",", grid=False),
    )


def logarithmic(values: Sequence[float]) -> dict[str, Any]:
    """Scale and axis for values above zero: equal ratios look equal, few ticks."""
    low, high = min(values), max(values)
    digits = (1, 2, 5) if high / low < 200 else (1,)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    ticks = [digit * 10.0**power for power in range(first - 1, last + 1) for digit in digits]
    bottom = max(tick for tick in ticks if tick <= low)
    top = min(tick for tick in [*ticks, 10.0 ** (last + 1)] if tick >= high and tick > bottom)
    return {
        "scale": alt.Scale(type="log", nice=False, padding=6, domain=[bottom, top]),
        "axis": alt.Axis(
            values=[tick for tick in ticks if bottom <= tick <= top],
            labelExpr="format(datum.value, datum.value < 1000 ? '~g' : '~s')",
        ),
    }


# Vega writes ARIA for charts in the page; inside an image nobody hears it.
_SILENT = re.compile(r' (?:aria-[a-z]+|role|class|pointer-events)="[^"]*"')
_VALUE = re.compile(r'="[^"]*"')
_LONG = re.compile(r"(\d+\.\d{2})\d+")
_SVG_SIZE = re.compile(r'<svg[^>]*? width="([\d.]+)" height="([\d.]+)"')
_MARK = re.compile(
    r'<path transform="translate\(([-\d.]+),([-\d.]+)\)"( d="M[^>]*?)/?>(?:</path>)?'
)


def _lean(svg: str) -> str:
    """The same picture in a third of the bytes: each kind of mark is drawn once and then used."""
    svg = _VALUE.sub(lambda value: _LONG.sub(r"\1", value[0]), _SILENT.sub("", svg))
    kinds = {
        look: f"m{number}"
        for number, (look, count) in enumerate(
            Counter(match[3] for match in _MARK.finditer(svg)).items()
        )
        if count > 1
    }
    drawn = "".join(f'<path id="{name}"{look}/>' for look, name in kinds.items())

    def used(match: re.Match[str]) -> str:
        name = kinds.get(match[3])
        return f'<use href="#{name}" x="{match[1]}" y="{match[2]}"/>' if name else match[0]

    head, end, body = svg.partition(">")
    return f"{head}{end}<defs>{drawn}</defs>{_MARK.sub(used, body)}"
