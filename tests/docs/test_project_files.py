"""Files that other programs read of a project: GitHub, editors, pre-commit, citation managers."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import ROOT

FORMS = [
    path for path in sorted(ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")) if path.stem != "config"
]


def loaded(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def follows(schema: str, path: Path) -> None:
    tool = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run(
        [tool, "--builtin-schema", f"vendor.{schema}", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_issue_forms_are_such_as_github_shows(form: Path) -> None:
    follows("github-issue-forms", form)


def test_the_choice_of_issue_forms_is_such_as_github_shows() -> None:
    follows("github-issue-config", ROOT / ".github/ISSUE_TEMPLATE/config.yml")


def test_the_citation_is_well_formed() -> None:
    follows("citation-file-format", ROOT / "CITATION.cff")


def test_the_citation_names_this_version_and_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = loaded("CITATION.cff")
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_pre_commit_makes_what_is_made_then_checks_and_fetches_nothing() -> None:
    (repository,) = loaded(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    commands = [hook["entry"].split() for hook in repository["hooks"]]
    assert {command[0] for command in commands} == {"make"}
    goals = [[word for word in command[1:] if not word.startswith("-")] for command in commands]
    assert goals == [["reference", "dashboards"], ["check"]]


@pytest.mark.parametrize(
    "path",
    [
        "loadtest/plan/measures.py",
        "loadtest/engine/kinds.py",
        "grafana/service.py",
        "experiments/published/p07-equal-to-go.toml",
        "docs/results.jsonl",
        "docs/published.json",
        "docker-compose.yml",
    ],
)
def test_pre_commit_makes_them_where_a_source_has_changed(path: str) -> None:
    made = loaded(".pre-commit-config.yaml")["repos"][0]["hooks"][0]
    assert re.search(made["files"], path)


def test_the_changelog_has_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
