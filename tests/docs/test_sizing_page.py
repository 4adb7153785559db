"""docs/sizing.md shows what `size` prints, and margins as they are calculated."""

from __future__ import annotations

import re
import shlex

from typer.testing import CliRunner

from loadtest.cli import app
from loadtest.stats.queueing import slots_for
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "sizing.md").read_text()
[ASKED] = re.findall(r'make size SIZE="(.*)"', TEXT)
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
SHOWN, REFUSED = (text for language, text in BLOCKS if not language)
MARGINS = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", TEXT, re.MULTILINE)


def printed(*changed: str) -> str:
    return CliRunner().invoke(app, ["size", *shlex.split(ASKED), *changed]).output


def test_the_output_is_that_of_the_command() -> None:
    assert printed().startswith(SHOWN)


def test_the_refusal_is_that_of_the_command() -> None:
    assert printed("--cpu-ms", "8") == REFUSED


def test_the_margins_are_those_that_are_calculated() -> None:
    assert len(MARGINS) > 3
    for in_hand, *slots in MARGINS:
        found = [slots_for(float(in_hand), share) for share in (0.1, 0.01, 0.001)]
        assert list(map(int, slots)) == found
