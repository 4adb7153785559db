"""The experiments as files: experiments/*.toml read strictly, every mistake named."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from loadtest.model.experiment import Background, Experiment, Level
from loadtest.model.load import Load, LoadKind
from loadtest.plan.criteria import MEASURES, criterion
from loadtest.plan.document import DocumentError, Table
from loadtest.system.paths import ROOT

FOLDER = ROOT / "experiments"

ExperimentError = DocumentError


def load_all(
    folder: Path = FOLDER,
    *,
    services: Collection[str] | None = None,
    scenarios: Collection[str] | None = None,
) -> dict[str, Experiment]:
    """Read every experiment of `folder` by name, in order of claim.

    Where `services` and `scenarios` say what there is, an experiment that names others is an error.
    """
    found = [
        read(path, services=services, scenarios=scenarios) for path in sorted(folder.glob("*.toml"))
    ]
    if not found:
        raise ExperimentError(f"{folder}: holds no experiment (*.toml)")
    return {
        each.name: each for each in sorted(found, key=lambda each: (int(each.claim[1:]), each.name))
    }


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
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExperimentError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path.name}: not valid TOML: {error}") from None
    experiment = parse(path.stem, document, where=path.name)
    _check_names(path.name, "service", [*experiment.services, *experiment.claimed], services)
    _check_names(path.name, "scenario", _scenarios_of(experiment), scenarios)
    return experiment


def parse(name: str, document: Mapping[str, Any], *, where: str) -> Experiment:
    """Make an experiment of a TOML document; `where` names its origin in errors."""
    table = Table(document, where)
    defaults = _Defaults(
        table.take("load", dict, {}),
        table.numbers("parameters", whole=True),
        table.take("environment", dict, {}),
        table.take("scenario", str, ""),
    )
    check = table.take("check", str, "")
    levels = table.take("levels", list, []) if check else table.take("levels", list)
    experiment = Experiment(
        name=name,
        claim=table.take("claim", str),
        title=table.take("title", str),
        statement=table.take("statement", str),
        confirms=table.take("confirms", str),
        refutes=table.take("refutes", str),
        services=table.texts("services"),
        reference=table.take("reference", str),
        measure=table.one_of("measure", MEASURES, "goodput_rps"),
        axis=table.take("axis", str, "Connections at once"),
        levels=tuple(
            _level(Table(entry, f"{where}: levels[{number}]"), defaults)
            for number, entry in enumerate(levels)
        ),
        rounds=table.number("rounds", 12),
        warmup_s=table.number("warmup_s", 1.0),
        duration_s=table.number("duration_s", 3.0),
        headline=table.take("headline", bool, False),
        full_services=table.texts("full_services", ()),
        fresh=table.take("fresh", bool, False),
        errors_allowed=table.take("errors_allowed", bool, False),
        check=check,
        peak=_peak(table),
        background=_background(table),
        claimed=table.numbers("claimed"),
        further=_further(table),
        document=document,
    )
    criteria = table.take("criteria", list, [])
    table.done()
    _check_shape(where, experiment)
    return replace(
        experiment,
        criteria=tuple(
            criterion(Table(entry, f"{where}: criteria[{number}]"), experiment)
            for number, entry in enumerate(criteria)
        ),
    )


@dataclass(frozen=True)
class _Defaults:
    """What a level takes from the top of the file where it says nothing itself."""

    load: Mapping[str, Any]
    parameters: Mapping[str, int]
    environment: Mapping[str, Any]
    scenario: str


def _level(table: Table, defaults: _Defaults) -> Level:
    load = _load(table, defaults.load)
    environment = {**defaults.environment, **table.take("environment", dict, {})}
    level = Level(
        label=table.take(
            "label", str, f"{load.connections:,} connection{'s'[: load.connections != 1]}"
        ),
        x=table.number("x", float(load.connections), least=0),
        load=load,
        scenario=table.take("scenario", str, defaults.scenario),
        parameters={**defaults.parameters, **table.numbers("parameters", whole=True)},
        environment={key: str(value) for key, value in environment.items()},
        share_of_peak=table.number("share_of_peak", None),
        quick=table.take("quick", bool, True),
        without=table.texts("without", ()),
    )
    table.done()
    if not level.scenario:
        raise ExperimentError(f"{table.where}: scenario is missing; add it here or at the top")
    if load.kind == "open" and not (load.rate_rps or level.share_of_peak):
        raise ExperimentError(f"{table.where}: an open load needs rate_rps or share_of_peak")
    return level


def _load(table: Table, defaults: Mapping[str, Any]) -> Load:
    given = table.some(("kind", "connections", "rate_rps", "think_s"))
    merged = Table({**defaults, **given}, table.where)
    load = Load(
        kind=merged.one_of("kind", get_args(LoadKind), "closed"),
        connections=merged.number("connections", 1, least=0),
        rate_rps=merged.number("rate_rps", None),
        think_s=merged.number("think_s", 0.0, least=0),
    )
    merged.done()
    return load


def _peak(table: Table) -> Load | None:
    data = table.take("peak", dict, {})
    return _load(Table({}, f"{table.where}: peak"), data) if data else None


def _further(table: Table) -> dict[str, str]:
    found = {}
    for number, entry in enumerate(table.take("further", list, [])):
        inner = Table(entry, f"{table.where}: further[{number}]")
        found[inner.take("claim", str)] = inner.take("statement", str)
        inner.done()
    return found


def _background(table: Table) -> Background | None:
    data = table.take("background", dict, {})
    if not data:
        return None
    inner = Table(data, f"{table.where}: background")
    load = _load(inner, {})
    background = Background(
        inner.take("scenario", str), inner.numbers("parameters", whole=True), load
    )
    inner.done()
    return background


def _check_shape(where: str, experiment: Experiment) -> None:
    for claim in (experiment.claim, *experiment.further):
        if not (claim[:1] == "C" and claim[1:].isdigit()):
            raise ExperimentError(f"{where}: claim must be C and a number, is {claim!r}")
    if experiment.reference not in experiment.services:
        raise ExperimentError(
            f"{where}: reference {experiment.reference!r} is none of its services: "
            f"{', '.join(experiment.services)}"
        )
    for service in experiment.full_services:
        if service not in experiment.services:
            raise ExperimentError(
                f"{where}: full_services has {service!r}, which is none of its services"
            )
    for level in experiment.levels:
        for service in level.without:
            if service not in experiment.services or service == experiment.reference:
                raise ExperimentError(
                    f"{where}: level {level.label!r} is without {service!r}, "
                    "which must be one of its services and not the reference"
                )
    labels = [level.label for level in experiment.levels]
    if len(set(labels)) < len(labels):
        raise ExperimentError(f"{where}: levels need labels that differ, has: {', '.join(labels)}")
    if not labels and not experiment.check:
        raise ExperimentError(f"{where}: levels is empty; name at least one load")
    if any(level.share_of_peak for level in experiment.levels) and not experiment.peak:
        raise ExperimentError(f"{where}: share_of_peak needs [peak], the load that finds the peak")


def _scenarios_of(experiment: Experiment) -> list[str]:
    background = experiment.background
    levels = [level.scenario for level in experiment.levels]
    return [*levels, background.scenario] if background else levels


def _check_names(where: str, kind: str, names: list[str], known: Collection[str] | None) -> None:
    for name in names:
        if known is not None and name not in known:
            raise ExperimentError(
                f"{where}: unknown {kind} {name!r}; there are: {', '.join(known)}"
            )
