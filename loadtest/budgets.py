"""Budgets: env files that give every row its workers, threads and pool; compose reads the same."""

from __future__ import annotations

import os
from pathlib import Path

from loadtest.manifest import ROOT

FOLDER = ROOT / "budgets"


class BudgetError(Exception):
    """A budget does not exist or cannot be read; the message names it and what there is."""


def names(folder: Path = FOLDER) -> list[str]:
    """The budgets that there are."""
    return sorted(each.stem for each in folder.glob("*.env"))


def variables(name: str, folder: Path = FOLDER) -> dict[str, str]:
    """Variables of the budget called `name` under those of the environment, as compose has it."""
    path = folder / f"{name}.env"
    if not path.is_file():
        raise BudgetError(f"unknown budget {name!r}; budgets/ has: {', '.join(names(folder))}")
    return parse(path.read_text(encoding="utf-8"), path) | dict(os.environ)


def parse(text: str, where: Path) -> dict[str, str]:
    """Read `NAME=value` lines; blank lines and lines that start with # are left out."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        name, equals, value = line.partition("=")
        if not line or line.startswith("#"):
            continue
        if not equals or not name.strip().isidentifier():
            raise BudgetError(f"{where}: line {number} is not NAME=value: {line}")
        found[name.strip()] = value.strip()
    return found
