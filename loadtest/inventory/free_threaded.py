"""A Python without the GIL, where one is installed; and what an experiment needs of the machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from loadtest.errors import LabError
from loadtest.model.experiment import GIL, Experiment
from loadtest.system.cpus import Cpus
from loadtest.system.paths import ROOT

# Made by setup/environment, from PYTHON_FREE or the python3.14t on the PATH.
PLACE = ROOT / ".lab" / "free-threaded"
STAND_INS = ROOT / "setup" / "free_threaded"  # modules that have no release for such a Python
_ABSENT = (
    "needs a free-threaded Python; put python3.14t on the PATH, or name one: "
    "make compare PYTHON_FREE=/path/to/python3.14t"
)
_NO_CONTAINER = "a container has no second core and no free-threaded Python; run it without Docker"


class InterpreterError(LabError):
    """A service does not run under the Python that was asked for."""


def chosen(environment: Mapping[str, str], place: Path = PLACE) -> dict[str, str]:
    """A service's environment; where it says something of the GIL, with that Python's programs."""
    if GIL not in environment:
        return dict(environment)
    return {
        **environment,
        "PATH": os.pathsep.join([str(place / "bin"), environment["PATH"]]),
        "PYTHONPATH": os.pathsep.join([environment["PYTHONPATH"], str(STAND_INS)]),
    }


def check(name: str, about: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Raise InterpreterError where the service's /about says another GIL than it was given."""
    asked = environment.get(GIL)
    found = dict(about.get("versions") or {}).get("gil")
    if asked is not None and found != ("on" if asked == "1" else "off"):
        raise InterpreterError(
            f"service {name}: was started with {GIL}={asked}, and /about says that the GIL is "
            f"{found or 'that of an ordinary Python'}; is it a service of Flask with threads?"
        )


def versions(place: Path = PLACE) -> dict[str, str]:
    """The version of that Python, as its environment says; empty where there is none."""
    try:
        text = (place / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return {}
    found = re.search(r"^version\s*=\s*(\S+)", text, re.MULTILINE)
    return {"Python, free-threaded": found[1]} if found else {}


def lacking(experiment: Experiment, backend: str, *, place: Path = PLACE) -> str:
    """What the machine lacks for an experiment, and what to do; empty where nothing."""
    cores = max((level.cores for level in experiment.levels), default=1)
    free = any(level.gil is not None for level in experiment.levels)
    if backend == "compose":
        return _NO_CONTAINER if free or cores > 1 else ""
    if cores > (there := Cpus.split().count):
        return f"needs {cores} cores for a service, and here is {there}"
    return _ABSENT if free and not (place / "bin" / "python").exists() else ""


def split(
    experiments: Iterable[Experiment], backend: str
) -> tuple[list[Experiment], dict[str, str]]:
    """The experiments that the machine allows, and by name what it lacks for the others."""
    found = [(each, lacking(each, backend)) for each in experiments]
    there = [each for each, why in found if not why]
    return there, {each.name: why for each, why in found if why}
