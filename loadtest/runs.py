"""The folder of a run: run.json beside trials.jsonl, verdicts, report and charts."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from loadtest.manifest import ROOT

VERSION = 1
LATEST = "latest"

State = Literal["running", "finished", "interrupted", "stopped"]


class RunError(Exception):
    """A results folder cannot be used; the message names it and says why."""


@dataclass(frozen=True)
class Run:
    """What run.json says: under which conditions the trials beside it were made.

    `command` makes the run again; `state` tells how it ended, `reason` why if not by itself.
    `rows` holds, by row, what docker-compose.yml declares (`framework`, `model`, `command`,
    `environment`) and what the row's /about answered (`observed`). `left_out`: rows that could not
    start here, `unverified`: rows whose answers were wrong and which were never timed, both with
    the reason. `experiments`: the documents of the plan, by name, as they were run (`rounds`,
    `levels` and `rows` as planned).
    """

    run_id: str
    command: str
    plan: str
    seed: int
    budget: str
    backend: str
    started_at: str  # ISO 8601, UTC
    state: State = "running"
    reason: str = ""
    finished_at: str = ""
    planned_trials: int = 0
    rounds: int | None = None  # None: as the plan says
    machine: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    git: Mapping[str, Any] = field(default_factory=dict)  # commit, dirty
    cpus: Mapping[str, list[int] | None] = field(default_factory=dict)  # service, load
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    unverified: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    calibration: Mapping[str, Any] | None = None
    experiments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    version: int = VERSION


def results_directory() -> Path:
    """Where runs are kept: LAB_RESULTS, else `results` in the clone."""
    return Path(os.environ.get("LAB_RESULTS") or ROOT / "results").absolute()


def now() -> str:
    """The current time as run.json writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def create(results: Path) -> Path:
    """Make a new folder, named by the time, and point `latest` at it."""
    results.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for name in (stamp, *(f"{stamp}-{number}" for number in range(2, 100))):
        with contextlib.suppress(FileExistsError):
            (results / name).mkdir()
            _point_latest(results, name)
            return results / name
    raise RunError(f"{results}: cannot make a folder for the run; {stamp} exists many times")


def write(folder: Path, run: Run) -> None:
    """Replace run.json in one step, so that a killed run leaves the one before."""
    text = json.dumps(asdict(run), indent=2, ensure_ascii=False) + "\n"
    draft = folder / "run.json.part"
    draft.write_text(text, encoding="utf-8")
    draft.replace(folder / "run.json")


def read(folder: Path) -> Run:
    """Read run.json; a folder that is none, or of another version, is an error."""
    path = folder / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{folder}: holds no run.json; is it the folder of a run?") from None
    except (ValueError, OSError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from None
    found = record.get("version") if isinstance(record, dict) else None
    if found != VERSION:
        raise RunError(f"{path}: is of version {found}, this lab reads version {VERSION}")
    try:
        return Run(**record | {"warnings": tuple(record["warnings"])})
    except (TypeError, KeyError) as error:
        raise RunError(f"{path}: is not what this lab wrote: {error}") from None


def find(results: Path) -> list[Path]:
    """The folders of runs, oldest first."""
    return sorted(
        path.parent for path in results.glob("*/run.json") if not path.parent.is_symlink()
    )


def _point_latest(results: Path, name: str) -> None:
    draft = results / f".{LATEST}.{name}"
    draft.symlink_to(name)
    draft.replace(results / LATEST)
