"""`publish`: put a finished run into the repository."""

from __future__ import annotations

from pathlib import Path

from loadtest.commands.console import console
from loadtest.report.publication.publish import publish


def show(folder: Path, *, partial: bool) -> None:
    """Write the pages of the repository that the run in `folder` fills."""
    for path in publish(folder, partial=partial):
        console.print(f"written: {path}", markup=False, soft_wrap=True)
