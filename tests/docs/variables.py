"""The variables that the lab reads, found in its files: make's, compose's and the environment's."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.pages import ROOT

_NAME = r"([A-Z][A-Z0-9_]*)"
# Wherever it stands, a name of this kind is a variable of the environment.
_OWN = re.compile(r"(?<![A-Z0-9_{}])(LAB_[A-Z0-9_]*[A-Z0-9])\b(?!_)")
# How each kind of file reads any other variable.
_READS = {
    "Makefile": re.compile(rf"\$\({_NAME}\)|ifdef {_NAME}"),
    ".yml": re.compile(rf"(?<!\$)\$\{{{_NAME}|\$\${_NAME}"),
    ".sh": re.compile(rf"\$\{{{_NAME}:?[-?+]"),
    ".py": re.compile(
        rf'(?:os\.environ|environment|variables)(?:\.get\(|\[|, )"{_NAME}"'
        rf'|from_environment\(\s*"{_NAME}"|\w*VARIABLE\b.*? = "{_NAME}"'
    ),
    ".js": re.compile(rf"environment(?:\.|, '){_NAME}\b"),
    ".go": re.compile(rf'reader\.\w+\("{_NAME}"|get\("{_NAME}"'),
}
_FOLDERS = (".ci", "benchmarks", "containers", "loadtest", "services", "setup", "tests")
# Set by make, by a shell, by the system or by an image, not by somebody who configures the lab.
_GIVEN = {"MAKE", "MAKEFILE_LIST", "PATH", "PYTHONPATH", "LANG", "HOME", "PYTEST_DEBUG_TEMPROOT"}
_GIVEN |= {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE"}
_GIVEN |= {"POSTGRES_INITDB_ARGS"}
_OTHER = {"LAB_ABOUT"}  # a setting of Django's


def found() -> dict[str, set[str]]:
    """The files in which each variable stands, as paths in the repository."""
    places: dict[str, set[str]] = {}
    for path in _files():
        for variable in _variables(path):
            places.setdefault(variable, set()).add(str(path.relative_to(ROOT)))
    return places


def compose_defaults() -> dict[str, str]:
    """What docker-compose.yml takes where a variable is not set."""
    text = (ROOT / "docker-compose.yml").read_text()
    return dict(re.findall(rf"\$\{{{_NAME}:-([^}}]*)\}}", text))


def _files() -> list[Path]:
    top = [ROOT / "Makefile", ROOT / "docker-compose.yml"]
    below = [
        path
        for folder in _FOLDERS
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and _kind(path) and _is_source(path)
    ]
    return top + below


def _is_source(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return not {"node_modules", "__pycache__"} & set(parts) and parts[:2] != ("tests", "docs")


def _kind(path: Path) -> str:
    """How the file is read: its ending; `.sh` for scripts and Dockerfiles; empty for any other."""
    if path.name == "Makefile" or path.suffix in _READS:
        return path.suffix or path.name
    is_script = path.suffix == "" and path.read_bytes()[:2] == b"#!"
    return ".sh" if is_script or path.name == "Dockerfile" else ""


def _variables(path: Path) -> set[str]:
    text, kind = path.read_text(), _kind(path)
    read = {name for match in _READS[kind].finditer(text) for name in match.groups() if name}
    own = set() if "test_" in path.name else set(_OWN.findall(text))
    if kind == "Makefile":
        read -= set(re.findall(rf"^{_NAME} *:?=", text, re.MULTILINE))
    if path.parts[len(ROOT.parts)] == "tests":
        read &= own  # tests play with variables of others
    return (read | own) - _GIVEN - _OTHER
