"""run.json, as the runner writes it: under which conditions the trials beside it were made."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtest.model.experiment import Looked, Planned
from loadtest.results.runs import RUN_VERSION, RunError
from loadtest.system.paths import ROOT

LATEST = "latest"
# What a run from before there was a choice does not tell.
_OF_OLDER = {"busy": "rerun", "made_as": RUN_VERSION, "pooler": {}, "resumed_at": ()}


@dataclass(frozen=True)
class Record:
    """The content of run.json; `loadtest.results.runs` reads it back with its trials."""

    run_id: str
    command: str  # makes the run again
    plan: str
    seed: int
    budget: str
    backend: str
    rounds: int | None = None  # None: as the plan says
    pooler: Mapping[str, Any] = field(default_factory=dict)  # before Postgres: name, version, size
    busy: str = "rerun"  # "accept": trials count that a busy machine disturbed
    started_at: str = ""  # ISO 8601, UTC
    finished_at: str = ""
    interrupted: bool = False
    reason: str = ""  # why it ended early
    resumed: bool = False
    resumed_at: tuple[str, ...] = ()  # commits, each where it is not the one of before
    planned: int = 0  # trials, reruns left out; fewer, as looks decide
    plans: Mapping[str, Planned] = field(default_factory=dict)
    # The TOML documents, by name.
    experiments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # By name: what docker-compose.yml declares, and under `observed` what /about answered.
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # Services that could not start here, and why.
    left_out: Mapping[str, str] = field(default_factory=dict)
    # Services that answered wrong and were never timed, and why.
    unverified: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    # By experiment and service, in requests/s: what shares of the peak are shares of.
    peaks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    # By experiment that takes no load, and by service: what the check found.
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # By experiment: what each look at its figures found.
    looks: Mapping[str, tuple[Looked, ...]] = field(default_factory=dict)
    calibration: Mapping[str, Any] | None = None
    machine: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    git_commit: str = ""
    git_dirty: bool = False
    cpus: Mapping[str, list[int] | None] = field(default_factory=dict)  # service, load
    version: int = RUN_VERSION
    made_as: int = RUN_VERSION  # the version whose rules it is judged by


class Ledger:
    """A record that lies in its run's folder after each change."""

    def __init__(self, folder: Path, known: Record) -> None:
        self.folder = folder
        self.record = known
        self._latest = False

    def measured(self) -> None:
        """Something of this run counts: `latest` leads to it from now on."""
        if not self._latest:
            make_latest(self.folder)
            self._latest = True

    def update(self, **changes: Any) -> None:
        """Change fields of the record, and write it."""
        self.record = replace(self.record, **changes)
        write(self.folder, self.record)


def results_directory() -> Path:
    """Where runs are kept: LAB_RESULTS, else `results` in the clone."""
    return Path(os.environ.get("LAB_RESULTS") or ROOT / "results").absolute()


def outside(path: Path) -> Path:
    """The path as the user has it: from a container, below LAB_RESULTS_OUTSIDE on the host."""
    host = os.environ.get("LAB_RESULTS_OUTSIDE")
    return Path(host) / path.absolute().relative_to(results_directory()) if host else path


def now() -> str:
    """The current time as run.json writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def require_writable(folder: Path) -> None:
    """Raise RunError where `folder` can't be made or written in."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not there.is_dir():
        raise _refused(folder, f"{there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise _refused(folder, f"you may not write in {there}")


def create(results: Path, ending: str = "") -> Path:
    """Make the folder of a new run, named by the time and, where given, an ending."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S") + ending
    try:
        results.mkdir(parents=True, exist_ok=True)
        for name in (stamp, *(f"{stamp}-{number}" for number in range(2, 100))):
            with contextlib.suppress(FileExistsError):
                (results / name).mkdir()
                return results / name
    except OSError as error:
        raise _refused(results, str(error.strerror)) from None
    raise RunError(f"{results}: {stamp} exists many times; wait a second and try again")


def _refused(folder: Path, why: str) -> RunError:
    return RunError(
        f"results can't be written to {outside(folder)}: {why}; "
        "make it writable, or name another folder: LAB_RESULTS=/a/folder"
    )


def write(folder: Path, record: Record) -> None:
    """Replace run.json in one step, so that a killed run leaves the one before."""
    text = json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n"
    draft = folder / "run.json.part"
    draft.write_text(text, encoding="utf-8")
    draft.replace(folder / "run.json")


def restore(info: Mapping[str, Any]) -> Record:
    """The record that `info`, read from run.json, was written from."""
    try:
        info = {**_OF_OLDER, **info}
        known = {each.name: info[each.name] for each in fields(Record)}
        plans = {name: _planned(plan) for name, plan in info["plans"].items()}
        looks = {
            name: tuple(looked(each, plans[name].services) for each in found)
            for name, found in info["looks"].items()
        }
        lists = {name: tuple(info[name]) for name in ("warnings", "resumed_at")}
        return Record(**known | lists | {"plans": plans, "looks": looks})
    except (KeyError, TypeError) as error:
        raise RunError(f"run.json: {error} is missing or wrong; the run can't be resumed") from None


def _planned(plan: Mapping[str, Any]) -> Planned:
    names = tuple(plan["services"]), tuple(plan["levels"])
    return Planned(*names, plan["rounds"], tuple(plan["looks"]))


def looked(look: Mapping[str, Any], services: Sequence[str]) -> Looked:
    """A look of run.json, at an experiment with `services`.

    In older records every service of an open level went on, and none is named.
    """
    found = look["open"]
    named = found if isinstance(found, dict) else dict.fromkeys(found, services)
    return Looked(
        look["rounds"], look["spent"], {level: tuple(each) for level, each in named.items()}
    )


def make_latest(folder: Path) -> None:
    """Point `latest`, beside the run's folder, at it: something was measured in it."""
    home, name = folder.resolve().parent, folder.resolve().name
    draft = home / f".{LATEST}.{name}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(name)
    draft.replace(home / LATEST)
