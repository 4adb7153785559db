"""What the table of a target says: what is asked there, and how its service is started."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import urljoin

from loadtest.contract import own
from loadtest.contract.own import OwnRequestError
from loadtest.inventory import addresses
from loadtest.inventory.addresses import AddressError
from loadtest.model.start import Start
from loadtest.model.target import Target
from loadtest.plan.keys.targets import REQUEST_KEYS, RequestTable, TargetTable
from loadtest.plan.mistakes import ExperimentError


def check_name(where: str, name: str) -> None:
    """Raise ExperimentError where no target can be called so."""
    if not addresses.is_name(name):
        raise ExperimentError(
            f"{where}: targets.{name!r}: a name begins with a letter, then letters, digits, _.-"
        )


def target(where: str, name: str, url: str, asked: RequestTable, path: str = "") -> Target:
    """The endpoint below `url` that `asked` says, at `path` if there is one.

    Raises ExperimentError.
    """
    path = path or asked.path
    try:
        if path and not _is_path(path):
            raise AddressError(f"path {path!r} has to begin with one /")
        rest = {key: getattr(asked, key) for key in REQUEST_KEYS if key != "path"}
        return own.checked(Target(urljoin(addresses.endpoint(url), path), **rest))
    except (AddressError, OwnRequestError) as error:
        raise ExperimentError(f"{where}: targets.{name}: {error}") from None


def start(where: str, name: str, table: TargetTable) -> Start | None:
    """How the target's service is started; None where it runs already. Raises ExperimentError."""
    place = f"{where}: targets.{name}"
    if not table.start:
        for key in ("ready", "folder", "environment"):
            if key in table.model_fields_set:
                raise ExperimentError(f"{place}: {key} needs start, the command that it is for")
        return None
    ready = _ready(place, table)
    try:
        command = tuple(shlex.split(table.start))
    except ValueError as error:
        raise ExperimentError(f"{place}: start {table.start!r}: {error}") from None
    if not command:
        raise ExperimentError(f"{place}: start {table.start!r} has no command")
    return Start(command, str(Path(table.folder or ".").absolute()), ready, table.environment)


def _ready(place: str, table: TargetTable) -> str:
    """The path that tells when it is ready, as it is asked for."""
    if not table.ready:
        return ""
    if not _is_path(table.ready):
        raise ExperimentError(f"{place}: ready {table.ready!r} has to begin with one /")
    try:
        asked = Target(urljoin(addresses.endpoint(table.url), table.ready))
        return own.path_of(own.checked(asked))
    except (AddressError, OwnRequestError) as error:
        raise ExperimentError(f"{place}: ready {table.ready!r}: {error}") from None


def _is_path(text: str) -> bool:
    """Whether it is one, and not the beginning of another host."""
    return text.startswith("/") and not text.startswith("//")
