"""What a probe measured, as a table and as a chart."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from loadtest.analysis.amounts import percent
from loadtest.probe import growth
from loadtest.probe.conclusion.advice import rate, seconds
from loadtest.probe.record import Conclusion, Sighting, Step
from loadtest.report.charts.style import NARROW, Chart, Listing, Records, data, loads

MEASURED_HUE, LIMIT_HUE = "#0b5f8a", "#b54708"
CURVE_STEPS = 60
HEADERS = ("At once", "Answers/s", "Each takes", "Failed", "Server CPU", "Load CPU")


def table(seen: Sighting) -> Listing:
    """Each step: what was asked at once, and what came back."""
    return Listing(HEADERS, tuple(map(row, seen.steps)))


def row(step: Step) -> tuple[str, ...]:
    """One step, as the table has it; CPU in percent of one core."""
    return (
        f"{step.connections:,}",
        rate(step.rps),
        takes(step),
        f"{percent(step.failed)} %" if step.errors else "–",
        f"{percent(step.server)} %" if step.workers else "–",
        f"{percent(step.generator)} %",
    )


def takes(step: Step) -> str:
    """The median; where requests queue, the mean by Little's law, as most had no answer yet."""
    if not step.answered:
        return "–"
    return seconds(step.littles_s if step.median_s is None else step.median_s)


def chart(seen: Sighting, said: Conclusion) -> Chart:
    """Answers a second over requests at once, beside slots ÷ wait."""
    known = [{"x": each.connections, "y": each.rps} for each in growth.sound(seen.steps)]
    limit = _limit(seen, said)
    dashed = " Dashed: slots ÷ wait." if limit else ""
    takes_ = " A request takes: the median, or where requests queue the mean (Little's law)."
    return Chart(
        name="probe",
        title=said.sentences[0].rstrip("."),
        description=f"Each mark is a step: so many requests at once.{dashed}{takes_}",
        draw=lambda width: _draw_steps(known, limit, width),
        table=table(seen),
    )


def _limit(seen: Sighting, said: Conclusion) -> Records:
    """min(requests at once, slots) ÷ wait; nothing where the slots are not known."""
    wait_s, _ = growth.unhurried(seen.steps)
    most = max(each.connections for each in seen.steps)
    if said.slots.at_least or wait_s <= 0 or most < 2:
        return []
    return [
        {"x": float(x), "y": min(float(x), said.slots.value) / wait_s}
        for x in np.geomspace(1, most, CURVE_STEPS)
    ]


def _draw_steps(known: Records, limit: Records, width: int) -> Any:
    x = loads([each["x"] for each in known], "Requests at once", width)
    y = alt.Y("y:Q", title="Answers a second", scale=alt.Scale(zero=True))
    measured = alt.Chart(data(known)).encode(x=x, y=y)
    layers = [
        measured.mark_line(color=MEASURED_HUE, strokeWidth=1.5),
        measured.mark_point(color=MEASURED_HUE, filled=True, size=90, opacity=1),
    ]
    if limit:
        dashed = alt.Chart(data(limit)).encode(x=x, y=y)
        layers.insert(0, dashed.mark_line(color=LIMIT_HUE, strokeDash=[6, 4], strokeWidth=2))
    return alt.layer(*layers).properties(width=width, height=300 if width > NARROW else 260)
