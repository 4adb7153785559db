"""Folders and modules stay small, and in loadtest one name stands for one thing."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from loadtest.system.paths import ROOT

MODULES = sorted((ROOT / "loadtest").rglob("*.py"))
MOST_MODULES, MOST_LINES, LONGEST_FUNCTION = 12, 300, 30
Function = ast.FunctionDef | ast.AsyncFunctionDef
PROGRAMS = [
    path
    for folder in ("benchmarks", "grafana", "services", "setup", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "node_modules" not in path.parts
]
# A package of Go is a folder by itself, so its files are not counted.
SCRIPTS = [
    path
    for path in sorted((ROOT / "services" / "node").rglob("*.js"))
    if "node_modules" not in path.relative_to(ROOT).parts
]


def test_no_folder_has_too_many_modules_and_none_is_too_long() -> None:
    folders = Counter(
        path.parent
        for path in (*MODULES, *PROGRAMS, *SCRIPTS)
        if path.stem not in {"__init__", "__main__"}
    )
    assert {folder: count for folder, count in folders.items() if count > MOST_MODULES} == {}
    lengths = {path: len(path.read_text().splitlines()) for path in (*MODULES, *PROGRAMS)}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}: {name}": lines
        for path in (*MODULES, *PROGRAMS)
        for name, lines in functions(path)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


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


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function and its lines: not its docstring's, nor those of a function within it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            within = [each for each in ast.walk(node) if isinstance(each, Function)]
            inner = set().union(*(lines_of(each) for each in within if each is not node))
            told = lines_of(node.body[0]) if ast.get_docstring(node) else set()
            yield node.name, len(lines_of(node) - inner - told)


def lines_of(node: ast.stmt) -> set[int]:
    assert node.end_lineno is not None
    return set(range(node.lineno, node.end_lineno + 1))


def constants(path: Path) -> Iterator[str]:
    """The names in capitals that a module defines, its private ones too."""
    for node in ast.parse(path.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for name in (each for target in targets for each in ast.walk(target)):
            if isinstance(name, ast.Name) and name.id.isupper():
                yield name.id
