"""The experiments as files: experiments/*.toml read strictly, every mistake named."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from loadtest.model.experiment import Experiment
from loadtest.model.probe import PlannedProbe
from loadtest.plan.consistency import check_names
from loadtest.plan.keys.probe import planned_probe
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.parsing import parse
from loadtest.system.paths import ROOT

EXPERIMENTS = ROOT / "experiments"
COMPARISONS = EXPERIMENTS / "published"  # other people's comparisons


def load_all(
    folder: Path = EXPERIMENTS,
    *,
    services: Collection[str] | None = None,
    scenarios: Collection[str] | None = None,
) -> dict[str, Experiment]:
    """Read every experiment of `folder` by name, in order of claim.

    One with targets has no claim; it runs where it is asked for by name, and is left out here.
    Where `services` and `scenarios` say what there is, an experiment that names others is an error.
    """
    found = [
        read(path, services=services, scenarios=scenarios) for path in sorted(folder.glob("*.toml"))
    ]
    found = [each for each in found if not each.targets]
    if not found:
        raise ExperimentError(f"{folder}: holds no experiment (*.toml)")
    return {each.name: each for each in sorted(found, key=lambda each: by_claim(each.claim))}


def load_published(
    *, services: Collection[str] | None = None, scenarios: Collection[str] | None = None
) -> dict[str, Experiment]:
    """The published comparisons by name, by number; none where there is no folder of them."""
    if not COMPARISONS.is_dir():
        return {}
    return load_all(COMPARISONS, services=services, scenarios=scenarios)


def by_claim(claim: str) -> tuple[str, int]:
    """The key that puts claims into order: C1, C2, C10, then those of published comparisons."""
    return claim[:1], int(claim[1:])


def choose(experiments: Mapping[str, Experiment], names: Collection[str]) -> dict[str, Experiment]:
    """The experiments called `names`; an unknown name is an error that lists what there is."""
    for name in names:
        if name not in experiments:
            raise ExperimentError(
                f"unknown experiment {name!r}; there are: {', '.join(experiments)}"
            )
    return {name: each for name, each in experiments.items() if name in names}


def read(
    path: Path,
    *,
    services: Collection[str] | None = None,
    scenarios: Collection[str] | None = None,
) -> Experiment:
    """Read one experiment file."""
    experiment = parse(path.stem, _document(path), where=path.name)
    if experiment.targets:
        return experiment
    check_names(path.name, "service", (*experiment.services, *experiment.claimed), services)
    check_names(path.name, "scenario", _scenarios_of(experiment), scenarios)
    return experiment


def read_probe(path: Path) -> PlannedProbe:
    """Read the file of a probe."""
    return planned_probe(_document(path), where=path.name)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExperimentError(f"{path}: {str(error.strerror).lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path.name}: not valid TOML: {error}") from None
    return _placed(document, path)


def _placed(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """The document with commands of targets in the file's folder, or one below it."""
    targets = document.get("targets")
    if not isinstance(targets, dict):
        return document
    placed = {
        name: each | {"folder": str(path.absolute().parent / str(each.get("folder", "")))}
        if isinstance(each, dict) and each.get("start")
        else each
        for name, each in targets.items()
    }
    return document | {"targets": placed}


def _scenarios_of(experiment: Experiment) -> list[str]:
    background = experiment.background
    levels = [level.scenario for level in experiment.levels]
    return [*levels, background.scenario] if background else levels
