"""What the parts of an experiment have to have in common, each mistake with its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from loadtest.contract.scenarios import SCENARIOS, ScenarioError
from loadtest.engine.kinds import kind_of
from loadtest.model.criterion import Criterion
from loadtest.model.experiment import Experiment, Level
from loadtest.model.published import Published
from loadtest.plan.measures import MEASURES
from loadtest.plan.mistakes import ExperimentError
from loadtest.plan.tables import BOUNDS, ExperimentTable


def check_table(where: str, table: ExperimentTable) -> None:
    """What shows in the document alone: that there are levels, and bounds of one sort."""
    told = bool(table.published and table.published.not_run)
    if told and table.levels:
        raise ExperimentError(f"{where}: has levels and published.not_run; keep one of them")
    if not table.levels and not table.check and not told:
        empty = "levels" in table.model_fields_set
        fault = "is empty; name at least one load" if empty else "is missing; add it"
        raise ExperimentError(f"{where}: levels {fault}")
    for number, criterion in enumerate(table.criteria):
        if len({key.partition("_")[0] for key in criterion.given(*BOUNDS)}) != 1:
            raise ExperimentError(
                f"{where}: criteria[{number}]: give bounds of one sort: {', '.join(BOUNDS)}"
            )


def check_experiment(where: str, experiment: Experiment) -> None:
    """That services, levels and criteria are each other's."""
    services = experiment.services
    if experiment.reference not in services:
        raise ExperimentError(
            f"{where}: reference {experiment.reference!r} is none of its services: "
            f"{', '.join(services)}"
        )
    for key in ("full_services", "passes"):
        for service in getattr(experiment, key):
            if service not in services:
                raise ExperimentError(
                    f"{where}: {key} has {service!r}, which is none of its services"
                )
    for number, level in enumerate(experiment.levels):
        _check_level(where, number, level, experiment)
    labels = [level.label for level in experiment.levels]
    if len(set(labels)) < len(labels):
        raise ExperimentError(f"{where}: levels need labels that differ, has: {', '.join(labels)}")
    for number, criterion in enumerate(experiment.criteria):
        _check_criterion(f"{where}: criteria[{number}]", criterion, experiment)
    if experiment.published:
        _check_published(f"{where}: published", experiment.published, experiment)


def check_names(where: str, kind: str, names: Iterable[str], known: Collection[str] | None) -> None:
    """That all of `names` are known; None knows everything."""
    for name in names:
        if known is not None and name not in known:
            raise ExperimentError(
                f"{where}: unknown {kind} {name!r}; there are: {', '.join(known)}"
            )


def _check_level(where: str, number: int, level: Level, experiment: Experiment) -> None:
    place = f"{where}: levels[{number}]"
    if not level.scenario:
        raise ExperimentError(f"{place}: scenario is missing; add it here or at the top")
    if kind_of(level.load).scheduled and not (level.load.rate_rps or level.share_of_peak):
        raise ExperimentError(f"{place}: kind {level.load.kind!r} needs rate_rps or share_of_peak")
    try:
        if level.scenario in SCENARIOS:
            SCENARIOS[level.scenario].check(level.load)
    except ScenarioError as error:
        raise ExperimentError(f"{place}: {error}") from None
    if level.share_of_peak and not experiment.peak:
        raise ExperimentError(f"{place}: share_of_peak needs [peak], the load that finds the peak")
    for service in level.environment_of:
        _one_of(place, "environment_of", service, experiment.services)
    for service in level.without:
        if service not in experiment.services or service == experiment.reference:
            raise ExperimentError(
                f"{where}: level {level.label!r} is without {service!r}, "
                "which must be one of its services and not the reference"
            )


def _check_criterion(place: str, criterion: Criterion, experiment: Experiment) -> None:
    claims = (experiment.claim, *experiment.further)
    _one_of(place, "claim", criterion.claim, claims)
    _one_of(place, "service", criterion.service, experiment.services)
    _one_of(place, "reference", criterion.reference, experiment.services)
    labels = [each.label for each in experiment.levels]
    if not MEASURES[criterion.measure].growth:
        _one_of(place, "level", criterion.level, labels)
    if criterion.reference_level:
        _check_across(place, criterion, labels)


def _check_across(place: str, criterion: Criterion, labels: Collection[str]) -> None:
    """That a comparison of two levels compares two figures."""
    if not criterion.ratio or MEASURES[criterion.measure].growth:
        raise ExperimentError(f"{place}: reference_level is for a ratio of two levels alone")
    _one_of(place, "reference_level", criterion.reference_level, labels)
    if len(set(criterion.sides)) < 2:
        raise ExperimentError(
            f"{place}: compares {criterion.service} at {criterion.level!r} with itself"
        )


def _check_published(place: str, published: Published, experiment: Experiment) -> None:
    """Each figure belongs to a service and a level, and can be compared with the reference's."""
    labels = [each.label for each in experiment.levels] or [""]
    if not published.figures:
        raise ExperimentError(f"{place}: figures is empty; name what was published")
    for number, figure in enumerate(published.figures):
        _one_of(f"{place}.figures[{number}]", "service", figure.service, experiment.services)
        _one_of(f"{place}.figures[{number}]", "level", figure.level, labels)
    for level in published.levels:
        services = [each.service for each in published.at(level)]
        if len(set(services)) < len(services):
            raise ExperimentError(f"{place}: figures name one service twice at level {level!r}")
        of_reference = [
            each for each in published.at(level) if each.service == experiment.reference
        ]
        if not of_reference or not of_reference[0].value:
            raise ExperimentError(
                f"{place}: level {level!r} has no figure of the reference {experiment.reference!r} "
                "that the others could be divided by"
            )
    if published.counter_proof:
        _one_of(place, "counter_proof", published.counter_proof, labels)


def _one_of(place: str, key: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise ExperimentError(f"{place}: {key} {name!r} is none of: {', '.join(known)}")
