"""docs/experiments.md: its example can be read, and what is made from the models is up to date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loadtest.contract.scenarios import SCENARIOS
from loadtest.inventory import manifest
from loadtest.plan import reader, reference
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "experiments.md").read_text()
EXAMPLE, _DIRECTIVE = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


def test_the_example_is_an_experiment(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXAMPLE)
    found = reader.read(path, services=manifest.load(variables={}), scenarios=SCENARIOS)
    assert len(found.levels) == 2
    assert len(found.criteria) == 1


def test_the_example_of_a_comparison_is_one(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/versus.md").read_text(), re.DOTALL)
    path = tmp_path / "mine.toml"
    path.write_text(example)
    found = reader.read(path)
    assert found.starts["new"].folder == str(tmp_path / "new")
    assert len(found.conditions) == 4
    for name, start in found.starts.items():
        assert not start.command[0].startswith(f"{name}/"), "a command runs in its folder"


@pytest.mark.parametrize(
    ("path", "text"), reference.written().items(), ids=lambda each: getattr(each, "name", "")
)
def test_what_is_made_from_the_models_is_up_to_date(path: Path, text: str) -> None:
    assert path.read_text() == text, "make reference"


def test_a_page_that_has_lost_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no table below the heading 'A load'"):
        reference.filled("## A load\n\ntext\n\n## Other\n\n| a |\n", {"A load": lambda: "| b |\n"})


def test_a_default_is_one_that_a_reader_can_write() -> None:
    assert "Undefined" not in "".join(reference.written().values())
