"""Folders and modules stay small, and in loadtest one name stands for one thing."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from loadtest.system.paths import ROOT

MODULES = sorted((ROOT / "loadtest").rglob("*.py"))
MOST_MODULES, MOST_LINES = 12, 300
PROGRAMS = [
    path
    for folder in ("benchmarks", "grafana", "services", "setup", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "node_modules" not in path.parts
]


def test_no_folder_has_too_many_modules_and_none_is_too_long() -> None:
    folders = Counter(
        path.parent for path in (*MODULES, *PROGRAMS) if path.stem not in {"__init__", "__main__"}
    )
    assert {folder: count for folder, count in folders.items() if count > MOST_MODULES} == {}
    lengths = {path: len(path.read_text().splitlines()) for path in (*MODULES, *PROGRAMS)}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_module_has_the_name_of_one_of_pythons() -> None:
    assert [path for path in MODULES if path.stem in sys.stdlib_module_names] == []


def test_no_two_classes_have_one_name() -> None:
    names = Counter(
        node.name
        for path in MODULES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_no_two_constants_have_one_name() -> None:
    names = Counter(name for path in MODULES for name in set(constants(path)))
    assert [name for name, count in names.items() if count > 1] == []


def constants(path: Path) -> Iterator[str]:
    """The names in capitals that a module defines, its private ones too."""
    for node in ast.parse(path.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for name in (each for target in targets for each in ast.walk(target)):
            if isinstance(name, ast.Name) and name.id.isupper():
                yield name.id
