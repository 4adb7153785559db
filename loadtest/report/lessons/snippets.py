"""Code on a page, taken from the files of the services."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from loadtest.report.lessons.board import PageError
from loadtest.system.paths import ROOT

_FENCES = {".py": "python", ".env": "sh", ".toml": "toml"}


def markdown(places: Mapping[str, str], page: Path) -> str:
    """Columns beside each other: over each its name, which leads to the file.

    `places`: name -> `path:names`, names of functions, classes or constants with commas between.
    In a file that is no Python, lines that begin with one of the names.
    """
    cells = [_cell(name, place, page) for name, place in places.items()]
    return '<table>\n<tr valign="top">\n' + "".join(cells) + "</tr>\n</table>"


def _cell(name: str, place: str, page: Path) -> str:
    file, _, names = place.partition(":")
    up = "../" * (len(page.parts) - 1)
    fence = _FENCES.get(Path(file).suffix, "")
    code = taken(file, names.split(","), str(page))
    return f"<td>\n\n[{name}]({up}{file})\n\n```{fence}\n{code}\n```\n\n</td>\n"


def taken(file: str, names: list[str], where: str) -> str:
    """The named parts of a file, a blank line between; PageError where one is missing."""
    path = ROOT / file
    if not path.is_file():
        raise PageError(f"{where}: {file}: no such file")
    parts = [_part(path, name) for name in names]
    for name, part in zip(names, parts, strict=True):
        if not part:
            raise PageError(f"{where}: {file} has no {name!r}")
    return ("\n\n\n" if path.suffix == ".py" else "\n").join(parts)


def _part(path: Path, name: str) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix != ".py":
        return "\n".join(line for line in lines if line.startswith(name))
    found = next(
        (node for node in _nodes(ast.parse("\n".join(lines))) if _called(node, name)), None
    )
    return "\n".join(_dedented(lines[_first(found) - 1 : found.end_lineno])) if found else ""


def _nodes(tree: ast.Module) -> Iterator[ast.stmt]:
    """What a module holds, from the outside to the inside."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.stmt))


def _called(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name == name
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(each, ast.Name) and each.id == name for each in targets)


def _first(node: ast.stmt) -> int:
    """The line of its first decorator, else its own."""
    decorated = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    decorators = node.decorator_list if isinstance(node, decorated) else []
    return min([node.lineno, *(each.lineno for each in decorators)])


def _dedented(lines: list[str]) -> list[str]:
    margin = len(lines[0]) - len(lines[0].lstrip())
    return [line[margin:] for line in lines]
