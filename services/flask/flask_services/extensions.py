"""What `create_app` keeps on the application, for the blueprints."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import current_app, request

from lab.about import About
from lab.contract import bodies
from lab.postgres.threaded import Threaded


def get_database() -> Threaded:
    """The worker's database."""
    return cast(Threaded, current_app.extensions["database"])


def get_about() -> About:
    """What the service says it is."""
    return cast(About, current_app.extensions["about"])


def run_all(task: Callable[[], object], n: int) -> None:
    """Run `task` `n` times, at once where the service's concurrency model can."""
    current_app.extensions["run_all"](task, n)


def json_body() -> object:
    """The request's JSON value; raises a Fault 415, 413 or 400, checked in that order.

    `Request.get_json` would take any `+json` type and Python's own idea of JSON (`NaN`), and
    Werkzeug's own limit cuts a chunked body short without a word.
    """
    return bodies.parse(bodies.read(request.stream, request.environ))


def query() -> dict[str, str]:
    """The query parameters, the last of equal names; Werkzeug's own `get` takes the first."""
    return {name: values[-1] for name, values in request.args.lists()}
