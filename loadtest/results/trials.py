"""trials.jsonl: one trial a line."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loadtest.errors import LabError
from loadtest.model.load import Load, restored
from loadtest.model.trial import TRIAL_VERSION, Gate, Prediction, Sample, Trial
from loadtest.model.witness import CoreTime, Machine, Pause
from loadtest.results import older


class TrialsError(LabError):
    """A trials file cannot be used; the message names file and line."""


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
    if record.get("version") != TRIAL_VERSION:
        raise ValueError(f"version {record.get('version')}, this lab reads {TRIAL_VERSION}")
    return Trial(
        **record
        | {
            "load": Load(**older.load(record["load"])),
            "result": restored(record["result"]),
            "by_worker": tuple(record.get("by_worker", ())),
            "samples": tuple(Sample(**sample) for sample in record["samples"]),
            "gates": tuple(Gate(**gate) for gate in record["gates"]),
            "prediction": Prediction(**record["prediction"]) if record["prediction"] else None,
        }
        | _witnesses(record)
    )


def _witnesses(record: dict[str, Any]) -> dict[str, Any]:
    """What was seen beside the trial; records from before have none."""
    machine, pauses = record.get("machine"), record.get("pauses")
    cores = ("service", "load")
    return {
        "machine": machine
        and Machine(
            **machine | {name: machine[name] and CoreTime(**machine[name]) for name in cores}
        ),
        "pauses": None if pauses is None else tuple(Pause(**each) for each in pauses),
    }
