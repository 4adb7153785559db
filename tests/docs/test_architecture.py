"""docs/architecture.md draws the floors that `make check` holds."""

from __future__ import annotations

import re
import tomllib

from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text()


def test_the_floors_are_those_that_are_checked() -> None:
    section = TEXT.partition("## The floors")[2].partition("Beside it:")[0]
    drawn = [re.sub(r"/$|\.py$", "", name) for name in re.findall(r"^\| `(.*?)` \|", section, re.M)]
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = (each["layers"] for each in linter["contracts"] if each["type"] == "layers")
    assert drawn == layers


def test_the_folders_are_those_that_are_there() -> None:
    section = TEXT.partition("Beside it:")[2].partition("\n## ")[0]
    for folder in re.findall(r"^\| `(.*?)/` \|", section, re.M):
        assert (ROOT / folder).is_dir(), folder
