"""The record of one trial: a line of trials.jsonl."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtest.model.load import Load, LoadResult

VERSION = 2


class TrialsError(Exception):
    """A trials file cannot be used; the message names file and line."""


@dataclass(frozen=True)
class Gate:
    """One validity check of a trial: `value` against `limit`, in the unit that `detail` names."""

    name: str
    passed: bool
    value: float | None
    limit: float | None
    detail: str


@dataclass(frozen=True)
class Prediction:
    """What `slots / L` allows: `rps` = `slots` / `latency_s`; `bound_by`: the limit that binds."""

    rps: float
    slots: int
    bound_by: str
    latency_s: float


@dataclass(frozen=True)
class Sample:
    """The service's side once a second, its whole process tree.

    `t`: seconds since the measured window began; negative in the warm-up.
    """

    t: float
    cpu: float  # CPU seconds per second since the sample before
    pss_bytes: int
    threads: int
    in_flight: float | None = None
    scheduling_lag_s: float | None = None
    pool_used: float | None = None
    pool_pending: float | None = None
    database_connections: int | None = None


@dataclass(frozen=True)
class Trial:
    """One service under one load in one round. `arm`: `service`, or `service#2` for its twin."""

    run_id: str
    experiment: str
    index: int  # place in the schedule, from 0
    attempt: int  # 1, then one more for each rerun after a failed gate
    round: int  # from 1
    order: int  # place within the round, from 1
    arm: str
    service: str
    level: str  # label of the experiment's level
    scenario: str
    parameters: Mapping[str, int]
    load: Load
    result: LoadResult
    samples: tuple[Sample, ...] = ()
    gates: tuple[Gate, ...] = ()
    prediction: Prediction | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    version: int = VERSION

    @property
    def valid(self) -> bool:
        """Whether every gate passed."""
        return all(gate.passed for gate in self.gates)


def append(path: Path, trial: Trial) -> None:
    """Write one line and force it to disk, so that a killed run loses no finished trial.

    Where it cannot be written whole (a full disk), what was written of it is taken back.
    """
    line = json.dumps(asdict(trial), separators=(",", ":")) + "\n"
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            if file.write(line.encode()) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(before)
            raise


def read(path: Path) -> list[Trial]:
    """Read every trial; a line that is none, or a cut last line, is a TrialsError."""
    found, cut = _parsed(path)
    if cut:
        raise TrialsError(
            f"{path}: the last line is cut off, for the run was killed while it wrote; "
            f"take that trial again with make compare RESUME={path.parent}"
        )
    return found


def recover(path: Path) -> list[Trial]:
    """Read every trial, and mend a cut last line so that the file can be appended to."""
    found, cut = _parsed(path)
    content = path.read_bytes()
    if cut:
        os.truncate(path, content.rfind(b"\n") + 1)
    elif content and not content.endswith(b"\n"):  # only the line's end is missing
        with path.open("ab") as file:
            file.write(b"\n")
    return found


def _parsed(path: Path) -> tuple[list[Trial], bool]:
    """The trials, and whether a last line without an end was left out because it is none."""
    found: list[Trial] = []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        try:
            found.append(_trial(json.loads(line)))
        except (ValueError, TypeError, KeyError) as error:
            if number == len(lines) and not line.endswith("\n"):
                return found, True
            raise TrialsError(f"{path}: line {number} is not a trial: {error}") from None
    return found, False


def _trial(record: dict[str, Any]) -> Trial:
    if record.get("version") != VERSION:
        raise ValueError(f"version {record.get('version')}, this lab reads {VERSION}")
    result = record["result"]
    return Trial(
        **record
        | {
            "load": Load(**record["load"]),
            "result": LoadResult(**result | {"timeline": tuple(result["timeline"])}),
            "samples": tuple(Sample(**sample) for sample in record["samples"]),
            "gates": tuple(Gate(**gate) for gate in record["gates"]),
            "prediction": Prediction(**record["prediction"]) if record["prediction"] else None,
        }
    )
