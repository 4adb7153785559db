"""The last verdict on each claim, from the files of the runs that there are."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def last(results: Path) -> dict[str, str]:
    """Claim -> its newest verdict and the run that it is of; what can't be read is left out."""
    found: dict[str, str] = {}
    for folder in sorted(_folders(results), reverse=True):
        for claim in _claims(folder):
            if claim.get("verdict") != "not measured":
                found.setdefault(str(claim.get("claim")), f"{claim.get('verdict')}, {folder.name}")
    return found


def _folders(results: Path) -> Iterator[Path]:
    for folder in results.iterdir() if results.is_dir() else ():
        if folder.is_dir() and not folder.is_symlink():
            yield folder


def _claims(folder: Path) -> list[Mapping[str, Any]]:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
        claims = found.get("claims") if isinstance(found, dict) else None
        return [each for each in claims or () if isinstance(each, dict)]
    return []
