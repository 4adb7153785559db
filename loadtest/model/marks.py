"""Signs and colours of verdicts, so that no reader depends on one of them alone."""

from __future__ import annotations

from collections.abc import Mapping

# A verdict at a glance, the best first.
MARKS: Mapping[str, str] = {
    "confirmed": "✔",
    "refuted": "✘",
    "conditional": "◐",
    "undecided": "?",
    "not measured": "–",
}
# The same for a terminal, as rich has its styles.
STYLES: Mapping[str, str] = {
    "confirmed": "green",
    "refuted": "red",
    "conditional": "yellow",
    "undecided": "magenta",
    "not measured": "dim",
}
