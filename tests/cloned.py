"""A copy of the lab as it is now, without what it made: for tests that change it or close it."""

from __future__ import annotations

import shutil
from pathlib import Path

from loadtest.system.paths import ROOT

_MADE = shutil.ignore_patterns(".*_cache", ".hypothesis", "__pycache__", "bin", "node_modules")
_MADE_AT_THE_TOP = {".git", ".lab", ".venv", "results"}


def clone(folder: Path) -> Path:
    """Copy the lab to `folder`, which must not exist yet."""

    def unwanted(path: str, names: list[str]) -> set[str]:
        return _MADE(path, names) | (_MADE_AT_THE_TOP if Path(path) == ROOT else set())

    shutil.copytree(ROOT, folder, ignore=unwanted, symlinks=True)
    return folder
